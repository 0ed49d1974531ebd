/* Every SQL text the SQLite store ever runs, but for the schema (sqlite_schema.c).
 *
 * Each is a compile-time constant and is prepared once (sqlite_statement.c says when). Values only
 * ever enter as parameters, which are bound in their order.
 */
#ifndef SW_STORE_SQLITE_SQL_H
#define SW_STORE_SQLITE_SQL_H

#include "stepwell/types.h"

/* A task counts its steps by state, one column per state: ", pending, ready" and so on. Tasks are
 * counted by state in one walk. */
#define SW__COUNT_COLUMN(name, value, text) ", " text
#define SW__COUNT_VALUE(name, value, text) ", ?"
#define SW__COUNT_OF(name, value, text) ", count(*) FILTER (WHERE state = " #value ")"
#define SW__COUNT_UPDATE(name, value, text) ", " text " = ?"

#define SW__COLUMNS_WORKFLOW "workflow_no, name, version, digest, json, registered_us"
#define SW__COLUMNS_TASK                                                                           \
    "task_id, workflow_no, state, priority, fatal, audit_segment, created_us, started_us, "        \
    "changed_us" SW_STEP_STATE_MAP(SW__COUNT_COLUMN)
#define SW__COLUMNS_STEP                                                                           \
    "step_id, state, open_deps, attempt, crashes, epoch, lane, rank, changed_us"
#define SW__COLUMNS_FAILURE "step_id, epoch, salt, error_class, message, detail"
#define SW__COLUMNS_SEGMENT "segment_no, entry_first, entry_count, time_us, previous, hash"
#define SW__COLUMNS_INFO                                                                           \
    "task_no, input_salt, idempotency_key, initiator, reason, correlation_id, tags, input"

/* What a task must be to pass a filter: ?1 state or -1, ?2 workflow name or NULL, ?3 tag or NULL,
 * ?4 correlation id. The tag is looked for in C, by the rule both stores share. */
#define SW__FILTER_PASSES                                                                          \
    "(?1 = -1 OR state = ?1) AND "                                                                 \
    "(?2 IS NULL OR workflow_no IN (SELECT workflow_no FROM workflow WHERE name = ?2)) AND "       \
    "(?3 IS NULL OR stepwell_tagged((SELECT tags FROM task_info AS i "                             \
    "WHERE i.task_no = task.task_no), ?3))"
#define SW__FILTER_CORRELATED                                                                      \
    "task_info CROSS JOIN task ON task.task_no = task_info.task_no WHERE correlation_id = ?4"

/* XX(NAME, sql) */
#define SW__SQL_MAP(XX)                                                                            \
    XX(BEGIN, "BEGIN")                                                                             \
    XX(BEGIN_WRITE, "BEGIN IMMEDIATE")                                                             \
    XX(COMMIT, "COMMIT")                                                                           \
    XX(ROLLBACK, "ROLLBACK")                                                                       \
    XX(VERSION, "PRAGMA data_version")                                                             \
    XX(ANCHOR_GET, "SELECT boot_id, boot_us, base_us FROM anchor WHERE anchor_no = 1")             \
    XX(ANCHOR_PUT, "INSERT OR REPLACE INTO anchor (anchor_no, boot_id, boot_us, base_us) "         \
                   "VALUES (1, ?1, ?2, ?3)")                                                       \
    XX(SEQUENCE_GET, "SELECT next_no FROM sequence WHERE sequence = ?1")                           \
    XX(SEQUENCE_PUT, "INSERT OR REPLACE INTO sequence (sequence, next_no) VALUES (?1, ?2)")        \
    XX(WORKFLOW_PUT, "INSERT INTO workflow (" SW__COLUMNS_WORKFLOW ") "                            \
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6) "                                            \
                     "ON CONFLICT (digest) DO UPDATE SET registered_us = excluded.registered_us")  \
    XX(WORKFLOW_GET, "SELECT " SW__COLUMNS_WORKFLOW " FROM workflow WHERE workflow_no = ?1")       \
    XX(WORKFLOW_NEWEST, "SELECT " SW__COLUMNS_WORKFLOW " FROM workflow "                           \
                        "WHERE name = ?1 AND (?2 IS NULL OR version = ?2) "                        \
                        "ORDER BY registered_us DESC, workflow_no DESC LIMIT 1")                   \
    XX(WORKFLOW_DIGEST, "SELECT " SW__COLUMNS_WORKFLOW " FROM workflow WHERE digest = ?1")         \
    XX(LANE_PUT, "INSERT INTO lane (lane, queue, handler) VALUES (?1, ?2, ?3)")                    \
    XX(LANE_LIST, "SELECT lane, queue, handler FROM lane WHERE lane > ?1 ORDER BY lane")           \
    XX(TASK_INSERT, "INSERT INTO task (task_no, " SW__COLUMNS_TASK ") "                            \
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?" SW_STEP_STATE_MAP(SW__COUNT_VALUE) ")") \
    XX(TASK_GET, "SELECT task.task_no, " SW__COLUMNS_TASK " FROM task WHERE task_no = ?1")         \
    XX(TASK_UPDATE,                                                                                \
       "UPDATE task SET workflow_no = ?, state = ?, priority = ?, fatal = ?, audit_segment = ?, "  \
       "started_us = ?, changed_us = ?" SW_STEP_STATE_MAP(SW__COUNT_UPDATE) " WHERE task_no = ?")  \
    XX(TASK_INFO_PUT, "INSERT INTO task_info (" SW__COLUMNS_INFO ") "                              \
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                   \
    XX(TASK_INFO_GET, "SELECT " SW__COLUMNS_INFO " FROM task_info WHERE task_no = ?1")             \
    XX(TASK_FIND, "SELECT task_no FROM task WHERE task_id = ?1")                                   \
    XX(TASK_KEY_PUT, "INSERT OR REPLACE INTO task_key (scope, task_no, input_digest) "             \
                     "VALUES (?1, ?2, ?3)")                                                        \
    XX(TASK_KEY_FIND, "SELECT task_no, input_digest FROM task_key WHERE scope = ?1")               \
    XX(TASK_LIST, "SELECT task.task_no, " SW__COLUMNS_TASK " FROM task WHERE " SW__FILTER_PASSES   \
                  " AND task.task_no > ?5 AND task.task_no < ?6 "                                  \
                  "ORDER BY task.task_no DESC LIMIT ?7")                                           \
    XX(TASK_LIST_CORRELATED,                                                                       \
       "SELECT task.task_no, " SW__COLUMNS_TASK " FROM " SW__FILTER_CORRELATED                     \
       " AND " SW__FILTER_PASSES " AND task_info.task_no > ?5 "                                    \
       "AND task_info.task_no < ?6 ORDER BY task_info.task_no DESC LIMIT ?7")                      \
    XX(TASK_COUNT,                                                                                 \
       "SELECT 0" SW_TASK_STATE_MAP(SW__COUNT_OF) " FROM task WHERE " SW__FILTER_PASSES            \
       " AND task.task_no > ?5 AND task.task_no < ?6")                                             \
    XX(TASK_COUNT_CORRELATED,                                                                      \
       "SELECT 0" SW_TASK_STATE_MAP(SW__COUNT_OF) " FROM " SW__FILTER_CORRELATED                   \
                                                  " AND " SW__FILTER_PASSES                        \
       " AND task_info.task_no > ?5 AND task_info.task_no < ?6")                                   \
    XX(STEP_INSERT, "INSERT INTO step (" SW__COLUMNS_STEP ") "                                     \
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                 \
    XX(STEP_GET, "SELECT " SW__COLUMNS_STEP " FROM step WHERE step_id = ?1")                       \
    XX(STEP_UPDATE, "UPDATE step SET state = ?1, open_deps = ?2, attempt = ?3, crashes = ?4, "     \
                    "epoch = ?5, lane = ?6, rank = ?7, changed_us = ?8 WHERE step_id = ?9")        \
    XX(STEP_EACH, "SELECT " SW__COLUMNS_STEP " FROM step WHERE step_id BETWEEN ?1 AND ?2 "         \
                  "ORDER BY step_id")                                                              \
    XX(QUEUE_SCAN, "SELECT step_id, rank FROM step "                                               \
                   "WHERE lane <> 0 AND lane = ?1 AND rank <= ?2 ORDER BY rank, step_id LIMIT ?3") \
    XX(QUEUE_AFTER, "SELECT step_id, rank FROM step WHERE lane <> 0 AND lane = ?1 "                \
                    "AND rank >= ?2 AND rank <= ?4 AND (rank > ?2 OR step_id > ?3) "               \
                    "ORDER BY rank, step_id LIMIT ?5")                                             \
    XX(RESULT_PUT, "INSERT OR REPLACE INTO result (step_id, salt, body) VALUES (?1, ?2, ?3)")      \
    XX(RESULT_GET, "SELECT step_id, salt, body FROM result WHERE step_id = ?1")                    \
    XX(FAILURE_PUT, "INSERT OR REPLACE INTO failure "                                              \
                    "(" SW__COLUMNS_FAILURE ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                   \
    XX(FAILURE_GET, "SELECT " SW__COLUMNS_FAILURE " FROM failure "                                 \
                    "WHERE step_id = ?1 ORDER BY epoch DESC LIMIT 1")                              \
    XX(WORKER_PUT, "INSERT OR REPLACE INTO worker "                                                \
                   "(worker_no, name, host, pid, boot_id, lease_ms, watched, handlers, queues) "   \
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                  \
    XX(WORKER_LEASE_PUT, "INSERT OR REPLACE INTO worker_lease (worker_no, lease_until_us) "        \
                         "VALUES (?1, ?2)")                                                        \
    XX(WORKER_RENEW, "UPDATE worker_lease SET lease_until_us = ?1 WHERE worker_no = ?2")           \
    XX(WORKER_DELETE, "DELETE FROM worker WHERE worker_no = ?1")                                   \
    XX(WORKER_LEASE_DELETE, "DELETE FROM worker_lease WHERE worker_no = ?1")                       \
    XX(WORKER_LIST,                                                                                \
       "SELECT worker_no, name, host, pid, boot_id, lease_ms, watched, "                           \
       "lease_until_us, handlers, queues FROM worker JOIN worker_lease USING (worker_no) "         \
       "ORDER BY worker_no")                                                                       \
    XX(SEGMENT_PUT, "INSERT INTO segment (" SW__COLUMNS_SEGMENT ", body) "                         \
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                         \
    XX(SEGMENT_LAST,                                                                               \
       "SELECT " SW__COLUMNS_SEGMENT " FROM segment ORDER BY segment_no DESC LIMIT 1")             \
    XX(SEGMENT_GET, "SELECT " SW__COLUMNS_SEGMENT ", body FROM segment WHERE segment_no = ?1")     \
    XX(SEGMENT_SEEK, "SELECT segment_no, entry_first + entry_count FROM segment "                  \
                     "WHERE segment_no >= ?1 ORDER BY segment_no LIMIT 1")                         \
    XX(SEGMENT_EACH, "SELECT " SW__COLUMNS_SEGMENT ", body FROM segment WHERE segment_no >= ?1 "   \
                     "ORDER BY segment_no")

typedef enum sw__sql {
#define SW__SQL_VALUE(name, text) SW__SQL_##name,
    SW__SQL_MAP(SW__SQL_VALUE)
#undef SW__SQL_VALUE
        SW__SQL_COUNT
} sw__sql;

/* The text of a statement. */
const char *sw__sql_text(sw__sql which);

#endif
