/* Rare branches that a long simulation has to reach (tests/sim): one that it never takes is a
 * branch that it does not test.
 *
 * Only the simulator's build of the core counts them; everywhere else SW__PROBE is nothing, and its
 * condition is not looked at.
 */
#ifndef SW_BASE_PROBE_H
#define SW_BASE_PROBE_H

/* XX(NAME, what happens there) */
#define SW__PROBE_MAP(XX)                                                                          \
    XX(COMMIT_FAILED, "a commit fails")                                                            \
    XX(MEMORY_SHORT, "a transaction ends for want of memory")                                      \
    XX(CATALOG_LOST, "there is no memory for an empty catalog")                                    \
    XX(LANES_AGAIN, "a definition needs lanes that were added by somebody else")                   \
    XX(KEY_KNOWN, "a task is submitted a second time")                                             \
    XX(KEY_CONFLICT, "a key is used for something else")                                           \
    XX(KEY_TWIN, "two rows of one call have the same key")                                         \
    XX(EVENT_KNOWN, "an event is appended a second time")                                          \
    XX(EVENT_TWIN, "two events of one transaction have the same key")                              \
    XX(EVENT_CONFLICT, "a key of an event is used for something else")                             \
    XX(EVENT_OUTDATED, "an append expects another version")                                        \
    XX(EVENT_ERASED, "an append to a task that was erased")                                        \
    XX(LISTEN_HEARD, "a commit rings because somebody waits for events")                           \
    XX(LISTEN_AGAIN, "a wait for events looks again")                                              \
    XX(PROJECTION_RACED, "somebody else was quicker to make a projection")                         \
    XX(PROJECTION_LATE, "somebody else was quicker to save a projection")                          \
    XX(PROJECTION_GONE, "a projection is forgotten before it is saved")                            \
    XX(FENCED_RUNNING, "a report is fenced by the attempt that took over")                         \
    XX(FENCED_CANCELLED, "a report comes after its step was cancelled")                            \
    XX(FENCED_WAITING, "a report comes while its step waits for another attempt")                  \
    XX(RELEASED_STOPPED, "a step is given back in a stopped task")                                 \
    XX(FAILED_STOPPED, "a step fails in a stopped task")                                           \
    XX(CRASHES_USED_UP, "a step has killed too many workers")                                      \
    XX(JOIN, "several dependencies of a step end together")                                        \
    XX(STARTED_EARLIER, "a dependency ends while the step runs that did not wait for it")          \
    XX(MORE_THAN_NEEDED, "more dependencies end together than a step needs")                       \
    XX(STEP_SKIPPED, "a step is skipped")                                                          \
    XX(DEPENDENT_HELD, "a failure holds its dependents up")                                        \
    XX(TASK_STOPPED, "a failure stops a task")                                                     \
    XX(STOPPED_RESUMED, "a step that a failure had cancelled goes on with it")                     \
    XX(CLAIM_MOVED, "a step in line was moved by the same transaction")                            \
    XX(LEASE_ENDED, "a worker's lease ends")                                                       \
    XX(WORKER_DIED, "a worker is seen dead before its lease ends")                                 \
    XX(WORKER_BACK, "a worker that was declared lost is entered again")                            \
    XX(REBOOTED, "a worker of an earlier boot is found")                                           \
    XX(SWEEP_FULL, "a sweep fills its batch")                                                      \
    XX(TIMED_OUT, "an attempt runs out of time")                                                   \
    XX(HEARTBEAT_MISSED, "an attempt has said nothing for too long")                               \
    XX(HEARTBEAT_KEPT, "a heartbeat keeps its attempt")                                            \
    XX(HEARTBEAT_FENCED, "a heartbeat comes from an attempt that counts no longer")                \
    XX(TIMER_DUE, "a retry comes due")                                                             \
    XX(DEADLINE_RUNNING, "the deadline of a step passes while it runs")                            \
    XX(DEADLINE_WAITING, "the deadline of a step passes between its attempts")                     \
    XX(DEADLINE_TASK, "the deadline of a task passes")                                             \
    XX(HOLD_LOST, "a renewal tells of a lost step")                                                \
    XX(CLOSED_HOLDING, "a worker leaves while it holds steps")                                     \
    XX(WAIT_ENDED, "a wait for work is ended from outside")                                        \
    XX(WAIT_AGAIN, "a wait for work looks again")                                                  \
    XX(TASK_WAIT_AGAIN, "a wait for a task looks again")                                           \
    XX(CLOCK_RENEWED, "the clock is anchored again after a restart")                               \
    XX(CLOCK_HELD, "the wall clock lies behind the newest entry")                                  \
    XX(CLOCK_UNANCHORED, "somebody reads before the clock is anchored")                            \
    XX(BREAKER_OPENED, "failures open a circuit")                                                  \
    XX(BREAKER_OPENED_AGAIN, "a probe opens its circuit again")                                    \
    XX(BREAKER_HALF_OPENED, "the open time of a circuit is over")                                  \
    XX(BREAKER_CLOSED, "probes close their circuit")                                               \
    XX(BREAKER_LATE_OUTCOME, "an attempt ends that was started in another state of its circuit")   \
    XX(PROBES_USED_UP, "a worker meets a half-open circuit without a place for a probe")           \
    XX(SCHEMA_RACE, "somebody else was quicker to make the database")                              \
    XX(SCHEMA_WAIT, "a new database is busy while its journal is changed")                         \
    XX(ROLLED_BACK, "a transaction that SQLite has not ended is rolled back")

#ifdef SW_PLANTS

enum sw__probe {
#define SW__PROBE_VALUE(name, text) SW__PROBE_##name,
    SW__PROBE_MAP(SW__PROBE_VALUE)
#undef SW__PROBE_VALUE
        SW__PROBE_END
};

extern unsigned long long sw__probed[];

#define SW__PROBE(name) ((void)sw__probed[SW__PROBE_##name]++)
#define SW__PROBE_IF(name, condition) ((void)((condition) && sw__probed[SW__PROBE_##name]++))

#else

#define SW__PROBE(name) ((void)0)
#define SW__PROBE_IF(name, condition) ((void)0)

#endif

#endif
