/* Rare branches that a campaign has to reach: those of the core (core/src/base/probe.h), and what
 * the machine itself does. */
#ifndef SIM_PROBE_H
#define SIM_PROBE_H

#include <stdbool.h>

/* XX(NAME, what happens) */
#define SIM_PROBE_MAP(XX)                                                                          \
    XX(TORN, "a write survives a power loss in part")                                              \
    XX(LOST, "writes that were not synced are lost")                                               \
    XX(POWER_IN_SYNC, "power is lost before a sync")                                               \
    XX(POWER_IN_CHECKPOINT, "power is lost while the log is moved to the database")                \
    XX(KILL_IN_CHECKPOINT, "a process is killed while it moves the log to the database")           \
    XX(KILL_IN_OPEN, "a process is killed while it opens the database")                            \
    XX(ERROR_IN_CHECKPOINT, "the disk fails while the log is moved to the database")               \
    XX(RECOVERY, "the log is recovered after a crash")                                             \
    XX(CREATION, "a database is made while faults happen")                                         \
    XX(OPEN_FAILED, "opening fails, and is tried again")                                           \
    XX(CLOSE_FAILED, "a worker cannot leave at once")                                              \
    XX(TAKEN_UP, "an operator takes a step up again that had ended")                               \
    XX(RESOLVED, "an operator resolves a step")                                                    \
    XX(REOPENED, "a task goes on after its end")                                                   \
    XX(PRUNED, "a task is pruned")                                                                 \
    XX(GIVEN_UP, "a process gives up after many errors")                                           \
    XX(JOINED, "a thread uses an engine that another one has opened")                              \
    XX(LOCK_TAKEN, "a thread waits for the lock of its engine")                                    \
    XX(GROUPED, "a call waits for the transaction of another thread")                              \
    XX(APPEND_LOST, "an append that had no answer was not written, and is sent again")             \
    XX(APPEND_FOUND, "an append that had no answer was written, and is found by its key")          \
    XX(APPEND_ENDED, "an event is appended to a task that has ended")                              \
    XX(APPEND_ERASED, "an append to a task that was erased is refused")                            \
    XX(APPEND_PRUNED, "an append to a task that was pruned is refused")                            \
    XX(FOLD_OUTDATED, "somebody else was quicker to save a projection")                            \
    XX(FOLD_FORGOTTEN, "a projection is forgotten while somebody folds")                           \
    XX(FOLD_FOUND, "a save that had no answer has counted")                                        \
    XX(FOLD_LOST, "a save that had no answer has not counted")                                     \
    XX(FOLD_WAITED, "a wait for events ends with one that was appended meanwhile")                 \
    XX(LATE_REPORT, "a worker reports a step that it was told to have lost")

typedef enum sim_probe {
#define SIM_PROBE_VALUE(name, text) SIM_##name,
    SIM_PROBE_MAP(SIM_PROBE_VALUE)
#undef SIM_PROBE_VALUE
        SIM_PROBE_END
} sim_probe;

void probe_hit(sim_probe probe);
/* Print the branches that nothing has reached in this process; how many they are. */
int probe_print_missed(void);

#endif
