/* Bugs that are planted on purpose, to see that the simulator finds them (tests/sim).
 *
 * Only the simulator's build of the core defines SW_PLANTS; everywhere else SW__PLANT is the
 * constant 0, and the compiler leaves nothing of it. One bug at a time is chosen by sw__planted.
 * Each stands where the rule is enforced that it breaks.
 */
#ifndef SW_BASE_PLANT_H
#define SW_BASE_PLANT_H

/* XX(NAME, what is wrong) */
#define SW__PLANT_MAP(XX)                                                                          \
    XX(EPOCH_NOT_CHECKED, "a report of a superseded attempt counts")                               \
    XX(EPOCH_NOT_RAISED, "a claim does not raise the epoch")                                       \
    XX(EPOCH_TAKEN_BACK, "a released step takes its epoch back")                                   \
    XX(STATE_NOT_CHECKED, "a report for a step that does not run counts")                          \
    XX(ATTEMPT_NOT_COUNTED, "a claim does not count its attempt")                                  \
    XX(RELEASE_COUNTED, "a released attempt counts")                                               \
    XX(RETRY_WITHOUT_END, "a step is tried again without attempts left")                           \
    XX(RETRY_AT_ONCE, "a step is tried again without waiting")                                     \
    XX(RETRY_AFTER_IGNORED, "the wait that a handler asks for is not kept")                        \
    XX(FOR_GOOD_IGNORED, "a step that failed for good is tried again")                             \
    XX(CRASH_WITHOUT_END, "a step that kills its workers is tried for ever")                       \
    XX(CRASH_COUNTED, "a lost lease uses an attempt up")                                           \
    XX(CRASHES_DEFAULT, "how many lost attempts a step may have is the same for all steps")        \
    XX(CRASHES_ONE_MORE, "a step is tried again after one lost attempt more than it may have")     \
    XX(STOPPED_IGNORED, "a step of a stopped task is tried again")                                 \
    XX(STOPPED_RELEASED, "a step that is given back in a stopped task runs again")                 \
    XX(DEPENDENCY_TWICE, "a dependency is counted down twice")                                     \
    XX(DEPENDENCY_ONCE, "two dependencies that end together count as one")                         \
    XX(DEPENDENCY_IGNORED, "the first dependency makes a step ready")                              \
    XX(TRIGGER_IGNORED, "what a failure means to a step does not depend on its rule")              \
    XX(QUORUM_SHORT, "a quorum is one short")                                                      \
    XX(LOST_ONCE, "two dependencies that are lost together count as one")                          \
    XX(HELD_LOST, "a failure that holds its dependents up skips them")                             \
    XX(COUNTED_BEYOND, "more dependencies are counted than a step needs")                          \
    XX(READY_TWICE, "a dependency makes a step ready that has started without it")                 \
    XX(SKIP_FORGOTTEN, "a step whose rule cannot be met any more is not skipped")                  \
    XX(SKIP_NOT_PASSED, "the steps after a skipped one are not told")                              \
    XX(CONTINUE_IGNORED, "a failure that may be passed blocks its dependents")                     \
    XX(SKIP_DEPENDENTS_IGNORED, "a failure that skips its dependents leaves them waiting")         \
    XX(SKIP_DEPENDENTS_FORGIVEN, "a task succeeds whose failure has skipped the rest")             \
    XX(FAIL_TASK_IGNORED, "a failure that stops the task cancels nothing")                         \
    XX(FAIL_TASK_TOO_MUCH, "a failure that stops the task cancels running steps")                  \
    XX(CANCEL_HALF, "a cancellation forgets the steps that run")                                   \
    XX(TASK_ENDS_EARLY, "a task ends while a step of it runs")                                     \
    XX(TASK_ENDS_NEVER, "a task with blocked steps does not end")                                  \
    XX(TASK_OUTCOME, "a task with blocked steps succeeds")                                         \
    XX(TASK_NOT_STARTED, "a task stays pending while its steps run")                               \
    XX(COUNT_LOST, "a task loses count of the steps that fail")                                    \
    XX(CLAIM_HANDLER, "a worker is given steps that it does not handle")                           \
    XX(CLAIM_QUEUE, "a worker is given steps of other queues")                                     \
    XX(CLAIM_ORDER, "priorities do not count")                                                     \
    XX(CLAIM_STALE, "a step that has just moved is taken from the old line")                       \
    XX(CLAIM_UNLOCKED, "the queue is read in one transaction, and claimed from in the next")       \
    XX(INPUT_OF_OTHER, "a step is given the results of other steps")                               \
    XX(INPUT_STATE, "a failed dependency is handed over as succeeded")                             \
    XX(RESULT_LOST, "a result is not written")                                                     \
    XX(RESULT_OVERWRITTEN, "a superseded report replaces the result")                              \
    XX(FAILURE_LOST, "an error is not written")                                                    \
    XX(TIMER_LOST, "a step whose time has come is in no line")                                     \
    XX(TIMER_LATE, "a call that waits does not notice a retry coming due")                         \
    XX(TIMEOUT_IGNORED, "an attempt never runs out of time")                                       \
    XX(TIMEOUT_EARLY, "an attempt runs out of time at half its time")                              \
    XX(HEARTBEAT_NOT_ASKED, "an attempt may say nothing for ever")                                 \
    XX(HEARTBEAT_IGNORED, "a heartbeat keeps no attempt alive")                                    \
    XX(HEARTBEAT_OF_OLD, "a heartbeat of a superseded attempt counts")                             \
    XX(HEARTBEAT_BEYOND, "a heartbeat carries an attempt beyond its timeout")                      \
    XX(DEADLINE_IGNORED, "no deadline ever passes")                                                \
    XX(DEADLINE_OF_ATTEMPT, "the deadline of a step is counted anew for each attempt")             \
    XX(DEADLINE_AFTER, "a report that comes after the deadline counts")                            \
    XX(DEADLINE_RUNS_ON, "what runs when the deadline of its task passes runs on")                 \
    XX(LEASE_FOR_EVER, "a lease never ends")                                                       \
    XX(LEASE_SHORT, "a lease ends at a third of its time")                                         \
    XX(LEASE_NOT_RENEWED, "an exchange does not renew the lease")                                  \
    XX(LEASE_BY_OTHERS, "the sweep renews the leases of others")                                   \
    XX(LEASE_DOUBT, "a renewal that was rolled back is believed")                                  \
    XX(BOOT_IGNORED, "leases outlive a restart of the machine")                                    \
    XX(LIFE_UNWATCHED, "a worker that could not give a sign of life counts as dead")               \
    XX(SWEEP_HALF, "a lost worker keeps what did not fit into one batch")                          \
    XX(SWEEP_ROLLED_BACK, "a sweep that was rolled back counts as done")                           \
    XX(LATE_WORKER, "a worker that was declared lost is not entered again")                        \
    XX(LOST_WORKER, "a lost worker keeps its row")                                                 \
    XX(CLOSE_KEEPS, "a worker that leaves keeps its steps")                                        \
    XX(HOLD_NOT_TOLD, "a renewal does not tell of lost steps")                                     \
    XX(HOLD_WRONG, "a renewal tells of steps that are still held")                                 \
    XX(WAIT_FOR_SELF, "a waiting worker does not notice other processes")                          \
    XX(BELL_NOT_RUNG, "what others may take is not rung for")                                      \
    XX(WAIT_NOT_WOKEN, "a waiting worker cannot be woken")                                         \
    XX(TASK_WAIT_FOR_SELF, "a wait for a task does not notice other processes")                    \
    XX(TASK_WAIT_RACE, "a wait for a task misses what is committed while it looks")                \
    XX(KEY_NOT_STORED, "an idempotency key is not stored")                                         \
    XX(KEY_NOT_COMPARED, "a known key is accepted with another input")                             \
    XX(KEY_OF_OTHER, "an idempotency key is stored for another task of the batch")                 \
    XX(KEY_NOT_SCOPED, "workflows share their idempotency keys")                                   \
    XX(PARENT_UNKNOWN, "a parent that is not there is accepted")                                   \
    XX(VERSION_STALE, "a version that another process registered is not noticed")                  \
    XX(CATALOG_KEPT, "lanes of a transaction that was rolled back are remembered")                 \
    XX(LANES_STALE, "handlers that another process registered are not noticed")                    \
    XX(CLOCK_WALL, "leases go by the wall clock")                                                  \
    XX(CLOCK_BACK, "after a restart the clock does not go on from the newest entry")               \
    XX(COMMIT_BELIEVED, "a commit that failed counts")                                             \
    XX(COMMIT_TWICE, "steps are committed before their task and their log")                        \
    XX(AUDIT_APART, "the log is committed after what it tells of")                                 \
    XX(AUDIT_LEFT_OUT, "a release is not in the log")                                              \
    XX(AUDIT_FROM, "an entry names a wrong state before")                                          \
    XX(AUDIT_CHAIN, "a task does not lead to its newest entries")                                  \
    XX(ROLLBACK_FORGOTTEN, "the transaction of a failed call stays open")                          \
    XX(SYNC_NORMAL, "a commit does not wait for the disk")                                         \
    XX(SYNC_OFF, "nothing waits for the disk")                                                     \
    XX(NUMBER_REUSED, "numbers of workers are given out again")                                    \
    XX(MEMORY_SWALLOWED, "a row that finds no memory is passed over, and those after it stay")       \
    XX(MEMORY_LEAKED, "an exchange that fails loses the memory of its answer")                     \
    XX(OVERRIDE_UNMET, "an operator makes a step ready that still has to wait")                    \
    XX(OVERRIDE_KEPT, "what a step has done for others stays when it is taken up again")           \
    XX(OVERRIDE_FATAL, "a failure counts for its task after it was resolved")                      \
    XX(STOPPED_FOR_EVER, "what a failure has cancelled stays so when it is taken up again")        \
    XX(RESOLVED_NOT_TOLD, "the steps after a resolved one are not told")                           \
    XX(RESOLVED_RESULT, "the result of a resolved step is not written")                            \
    XX(PRUNE_EARLY, "a task is pruned before its time")                                            \
    XX(PRUNE_UNLOGGED, "a task is pruned, and the log does not say so")                            \
    XX(PRUNE_HALF, "a task that is pruned keeps its row")                                          \
    XX(LIST_LEAVES_OUT, "a page of a list begins one task too late")                               \
    XX(LIST_FILTER, "a list passes over the state that is asked for")                              \
    XX(LIST_PARENT, "a list passes over the parent that is asked for")                             \
    XX(EXPLAIN_LEAVES_OUT, "explain names only one thing that a step waits for")                   \
    XX(DEAD_LOST, "a step that has failed for good is in no list of dead letters")                 \
    XX(DEAD_CANCELLED, "what failed in a cancelled task counts as a dead letter")                  \
    XX(BREAKER_IGNORED, "a step is started while its circuit is open")                             \
    XX(PROBES_WITHOUT_END, "a half-open circuit starts whatever waits for it")                     \
    XX(PROBE_KEPT, "a probe whose worker was lost keeps its place")                                \
    XX(BREAKER_NOT_COUNTED, "no failure opens a circuit")                                          \
    XX(BREAKER_NOT_STORED, "the state of a circuit is not written")                                \
    XX(BREAKER_LATE_OUTCOME, "an attempt of before counts in a circuit's new state")               \
    XX(BREAKER_DUE_LATE, "a waiting worker does not notice that a circuit is half-open")           \
    XX(BLOCKED_NEAR, "a step counts as blocked only right behind the failed one")                  \
    XX(ERASE_RUNNING, "a task that has not ended is erased")                                       \
    XX(ERASE_UNNOTED, "a task is erased without an entry")                                         \
    XX(ERASE_EVENTS, "the events of an erased task stay")                                          \
    XX(EVENT_VERSION_IGNORED, "an append does not look at the version")                            \
    XX(EVENT_LOST, "an appended event has no row")                                                 \
    XX(EVENT_KEY_IGNORED, "an event is appended twice")                                            \
    XX(PROJECTION_TWICE, "two processes save the same events of a projection")                     \
    XX(ERASE_RESULTS, "results stay when a task is erased")                                        \
    XX(ERASE_COPIES, "copies of what was erased stay in the file and its log")

#ifdef SW_PLANTS

struct sw__store;
struct sw_error;

enum sw__plant {
    SW__PLANT_NONE,
#define SW__PLANT_VALUE(name, text) SW__PLANT_##name,
    SW__PLANT_MAP(SW__PLANT_VALUE)
#undef SW__PLANT_VALUE
        SW__PLANT_END
};

extern int sw__planted; /* enum sw__plant */

#define SW__PLANT(name) (sw__planted == SW__PLANT_##name)

/* Commit in the middle of a transaction and go on in another one; an sw_code. */
int sw__plant_cut(struct sw__store *store, struct sw_error *err);

#define SW__PLANT_CUT(name, store, err) (SW__PLANT(name) ? sw__plant_cut(store, err) : 0)

#else

#define SW__PLANT(name) 0
#define SW__PLANT_CUT(name, store, err) 0

#endif

#endif
