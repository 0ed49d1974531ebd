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
    "changed_us, deadline_us" SW_STEP_STATE_MAP(SW__COUNT_COLUMN)
#define SW__COLUMNS_STEP                                                                           \
    "step_id, state, open_deps, attempt, crashes, epoch, lane, rank, changed_us"
#define SW__COLUMNS_BREAKER                                                                        \
    "breaker_no, name, failure_threshold, success_threshold, probes, open_ms, max_open_ms, "       \
    "state, failures, successes, probing, openings, forced, until_us, changed_us, error_class"
#define SW__COLUMNS_FAILURE "step_id, epoch, salt, error_class, message, detail"
#define SW__COLUMNS_SEGMENT "segment_no, entry_first, entry_count, time_us, previous, hash"
#define SW__COLUMNS_EVENT "entry_no, task_no, type, event_key, correlation_id, salt"
#define SW__COLUMNS_PROJECTION "name, version, epoch, position, changed_us, state"
#define SW__COLUMNS_INFO                                                                           \
    "task_no, input_salt, idempotency_key, initiator, reason, correlation_id, tags, "
/* A payload lies in its row, or in the blob that the row names. */
#define SW__PAYLOAD(body, blob)                                                                    \
    "ifnull(" body ", (SELECT b.body FROM blob_body AS b WHERE b.blob_no = " blob "))"

/* Results are read by ranges of keys, so many at a time: starting a statement costs as much as
 * finding four rows, or the first row of two ranges. */
#define SW__RESULT_RANGES                                                                          \
    "(?1, ?2), (?3, ?4), (?5, ?6), (?7, ?8), (?9, ?10), (?11, ?12), (?13, ?14), (?15, ?16), "      \
    "(?17, ?18), (?19, ?20), (?21, ?22), (?23, ?24), (?25, ?26), (?27, ?28), (?29, ?30), "         \
    "(?31, ?32)"
#define SW__RESULT_RANGE_COUNT 16
#define SW__RESULT_ROW "sw_row(r.step_id, r.salt, " SW__PAYLOAD("r.body", "r.blob_no") ")"

/* What a task must be to pass a filter: ?1 state or -1, ?2 workflow name or NULL, ?3 and ?7 tags or
 * NULL as they stand in task_tag, ?4 correlation id. Each list starts where its narrowest index does. */
#define SW__FILTER_HAS(tag, number)                                                                \
    " AND (" tag " IS NULL OR EXISTS (SELECT 1 FROM task_tag AS t WHERE t.tag = " tag              \
    " AND t.task_no = " number "))"
#define SW__FILTER_PASSES                                                                          \
    " AND (?1 = -1 OR state = ?1) AND "                                                            \
    "(?2 IS NULL OR workflow_no IN (SELECT workflow_no FROM workflow WHERE name = ?2))"
#define SW__FILTER_CORRELATED                                                                      \
    "task_info CROSS JOIN task ON task.task_no = task_info.task_no WHERE correlation_id = ?4"      \
    SW__FILTER_HAS("?3", "task_info.task_no")                                                      \
    SW__FILTER_HAS("?7", "task_info.task_no") SW__FILTER_PASSES
#define SW__FILTER_TAGGED                                                                          \
    "task_tag CROSS JOIN task ON task.task_no = task_tag.task_no WHERE tag = ?3"                   \
    SW__FILTER_HAS("?7", "task_tag.task_no") SW__FILTER_PASSES
#define SW__RANGE(number) " AND " number " > ?5 AND " number " < ?6"
#define SW__LIST(from, number, order)                                                              \
    "SELECT task.task_no, " SW__COLUMNS_TASK " FROM " from SW__RANGE(                              \
        number) " ORDER BY " number order " LIMIT ?8"
#define SW__COUNT(from, number)                                                                    \
    "SELECT 0" SW_TASK_STATE_MAP(SW__COUNT_OF) " FROM " from SW__RANGE(number)
/* The tasks of one definition in one state; the index alone has the answer. */
#define SW__STREAM                                                                                 \
    " FROM task WHERE workflow_no = ?1 AND state = ?2 AND task_no > ?3 AND task_no < ?4"

/* Numbers of events: ?1 after, ?2 before, ?3 how many, ?4 what they have in common. */
#define SW__EVENT_SCAN(which, order)                                                               \
    "SELECT entry_no FROM event WHERE " which "entry_no > ?1 AND entry_no < ?2 "                   \
    "ORDER BY entry_no" order " LIMIT ?3"

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
    XX(WORKFLOW_NAMED, "SELECT 1 FROM workflow WHERE workflow_no = ?1 AND name = ?2")              \
    XX(WORKFLOW_DIGEST, "SELECT " SW__COLUMNS_WORKFLOW " FROM workflow WHERE digest = ?1")         \
    XX(LANE_PUT, "INSERT INTO lane (lane, queue, handler, breaker) VALUES (?1, ?2, ?3, ?4)")       \
    XX(LANE_LIST, "SELECT lane, queue, handler, breaker FROM lane WHERE lane > ?1 ORDER BY lane")  \
    XX(BREAKER_PUT, "INSERT OR REPLACE INTO breaker (" SW__COLUMNS_BREAKER ") "                    \
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "   \
                    "?16)")                                                                        \
    XX(BREAKER_LIST, "SELECT " SW__COLUMNS_BREAKER " FROM breaker ORDER BY breaker_no")            \
    XX(TASK_INSERT, "INSERT INTO task (task_no, " SW__COLUMNS_TASK ") "                            \
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"                                      \
                    SW_STEP_STATE_MAP(SW__COUNT_VALUE) ")")                                        \
    XX(TASK_GET, "SELECT task.task_no, " SW__COLUMNS_TASK " FROM task WHERE task_no = ?1")         \
    XX(TASK_UPDATE, "UPDATE task SET priority = ?, fatal = ?, audit_segment = ?, started_us = ?, " \
                    "changed_us = ?" SW_STEP_STATE_MAP(                                            \
                        SW__COUNT_UPDATE) " WHERE task_no = ? AND workflow_no = ? AND state = ?")  \
    XX(TASK_UPDATE_MOVED,                                                                          \
       "UPDATE task SET priority = ?, fatal = ?, audit_segment = ?, started_us = ?, "              \
       "changed_us = ?" SW_STEP_STATE_MAP(                                                         \
           SW__COUNT_UPDATE) ", workflow_no = ?, state = ? WHERE task_no = ?")                     \
    XX(TASK_INFO_PUT, "INSERT INTO task_info (" SW__COLUMNS_INFO "input_blob, input) "             \
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                               \
    XX(TASK_INFO_GET, "SELECT " SW__COLUMNS_INFO SW__PAYLOAD(                                      \
                          "input", "task_info.input_blob") " FROM task_info "                      \
                          "WHERE task_no BETWEEN ?1 AND ?2 ORDER BY task_no")                      \
    XX(TASK_INFO_NAMES, "SELECT idempotency_key, tags, input_blob, "                               \
                        "(SELECT name FROM workflow AS w WHERE w.workflow_no = t.workflow_no) "    \
                        "FROM task_info AS i CROSS JOIN task AS t ON t.task_no = i.task_no "       \
                        "WHERE i.task_no = ?1")                                                    \
    XX(TASK_INFO_DELETE, "DELETE FROM task_info WHERE task_no = ?1")                               \
    XX(TASK_DELETE, "DELETE FROM task WHERE task_no = ?1")                                         \
    XX(TASK_TAG_DELETE, "DELETE FROM task_tag WHERE tag = ?1 AND task_no = ?2")                    \
    XX(TASK_KEY_DELETE, "DELETE FROM task_key WHERE scope = ?1 AND task_no = ?2")                  \
    XX(TASK_KEY_ERASE, "UPDATE task_key SET input_digest = zeroblob(32) "                          \
                       "WHERE scope = ?1 AND task_no = ?2")                                        \
    XX(TASK_INFO_ERASE, "UPDATE task_info SET input = NULL, input_blob = NULL, input_salt = ?2 "   \
                        "WHERE task_no = ?1")                                                      \
    XX(REST_PUT, "INSERT OR IGNORE INTO rest (task_no) VALUES (?1)")                               \
    XX(REST_FIND, "SELECT 1 FROM rest WHERE task_no = ?1")                                         \
    XX(REST_FIRST, "SELECT task_no FROM rest ORDER BY task_no LIMIT 1")                            \
    XX(REST_DELETE, "DELETE FROM rest WHERE task_no = ?1")                                         \
    XX(REST_STEP, "SELECT step_id FROM step WHERE step_id BETWEEN ?1 AND ?2 "                      \
                  "ORDER BY step_id LIMIT 1")                                                      \
    XX(REST_BLOBS, "SELECT blob_no FROM result "                                                   \
                   "WHERE step_id BETWEEN ?1 AND ?2 AND blob_no IS NOT NULL")                      \
    XX(REST_RESULTS_DELETE, "DELETE FROM result WHERE step_id BETWEEN ?1 AND ?2")                  \
    XX(REST_FAILURES_DELETE, "DELETE FROM failure WHERE step_id BETWEEN ?1 AND ?2")                \
    XX(REST_STEPS_DELETE, "DELETE FROM step WHERE step_id BETWEEN ?1 AND ?2")                      \
    XX(BLOB_PUT, "INSERT INTO blob (digest, uses) VALUES (?1, 1) "                                 \
                 "ON CONFLICT (digest) DO UPDATE SET uses = uses + 1 RETURNING blob_no, uses")     \
    XX(BLOB_BODY_PUT, "INSERT INTO blob_body (blob_no, body) VALUES (?1, ?2)")                     \
    XX(BLOB_RELEASE, "UPDATE blob SET uses = uses - 1 WHERE blob_no = ?1 RETURNING uses")          \
    XX(BLOB_DELETE, "DELETE FROM blob WHERE blob_no = ?1")                                         \
    XX(BLOB_BODY_DELETE, "DELETE FROM blob_body WHERE blob_no = ?1")                               \
    XX(VACUUM, "PRAGMA incremental_vacuum(256)")                                                   \
    XX(PAGE_COUNT, "PRAGMA page_count")                                                            \
    XX(PAGE_SIZE, "PRAGMA page_size")                                                              \
    XX(TASK_TAG_PUT, "INSERT OR IGNORE INTO task_tag (tag, task_no) VALUES (?1, ?2)")              \
    XX(TASK_FIND, "SELECT task_no FROM task WHERE task_id = ?1")                                   \
    XX(TASK_KEY_PUT, "INSERT OR REPLACE INTO task_key (scope, task_no, input_digest) "             \
                     "VALUES (?1, ?2, ?3)")                                                        \
    XX(TASK_KEY_FIND, "SELECT task_no, input_digest FROM task_key WHERE scope = ?1")               \
    XX(TASK_LIST, SW__LIST("task WHERE TRUE", "task_no", " DESC"))                                 \
    XX(TASK_LIST_RISING, SW__LIST("task WHERE TRUE", "task_no", ""))                               \
    XX(TASK_LIST_TAGGED, SW__LIST(SW__FILTER_TAGGED, "task_tag.task_no", " DESC"))                 \
    XX(TASK_LIST_TAGGED_RISING, SW__LIST(SW__FILTER_TAGGED, "task_tag.task_no", ""))               \
    XX(TASK_LIST_CORRELATED, SW__LIST(SW__FILTER_CORRELATED, "task_info.task_no", " DESC"))        \
    XX(TASK_LIST_CORRELATED_RISING, SW__LIST(SW__FILTER_CORRELATED, "task_info.task_no", ""))      \
    XX(TASK_COUNT_TAGGED, SW__COUNT(SW__FILTER_TAGGED, "task_tag.task_no"))                        \
    XX(TASK_COUNT_CORRELATED, SW__COUNT(SW__FILTER_CORRELATED, "task_info.task_no"))               \
    XX(TASK_WORKFLOW_LAST, "SELECT workflow_no FROM task WHERE workflow_no <= ?1 "                 \
                           "ORDER BY workflow_no DESC LIMIT 1")                                    \
    XX(TASK_STREAM, "SELECT task_no" SW__STREAM " ORDER BY task_no DESC")                          \
    XX(TASK_STREAM_RISING, "SELECT task_no" SW__STREAM " ORDER BY task_no")                        \
    XX(TASK_STREAM_COUNT, "SELECT count(*)" SW__STREAM)                                            \
    XX(STEP_INSERT, "INSERT INTO step (" SW__COLUMNS_STEP ") "                                     \
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                 \
    XX(STEP_GET, "SELECT " SW__COLUMNS_STEP " FROM step WHERE step_id = ?1")                       \
    XX(STEP_UPDATE, "UPDATE step SET state = ?1, open_deps = ?2, attempt = ?3, crashes = ?4, "     \
                    "epoch = ?5, lane = ?6, rank = ?7, changed_us = ?8 WHERE step_id = ?9")        \
    XX(STEP_EACH, "SELECT 1 FROM step WHERE step_id BETWEEN ?1 AND ?2 "                            \
                  "AND sw_row(" SW__COLUMNS_STEP ") ORDER BY step_id")                             \
    XX(QUEUE_SCAN, "SELECT step_id, rank FROM step "                                               \
                   "WHERE lane <> 0 AND lane = ?1 AND rank <= ?2 ORDER BY rank, step_id LIMIT ?3") \
    XX(QUEUE_AFTER, "SELECT step_id, rank FROM step WHERE lane <> 0 AND lane = ?1 "                \
                    "AND rank >= ?2 AND rank <= ?4 AND (rank > ?2 OR step_id > ?3) "               \
                    "ORDER BY rank, step_id LIMIT ?5")                                             \
    XX(RESULT_PUT, "INSERT OR IGNORE INTO result (step_id, salt, blob_no, body) "                  \
                   "VALUES (?1, ?2, ?3, ?4)")                                                      \
    XX(RESULT_BLOB, "SELECT blob_no FROM result WHERE step_id = ?1 AND blob_no IS NOT NULL")       \
    XX(RESULT_REPLACE, "UPDATE result SET salt = ?2, blob_no = ?3, body = ?4 WHERE step_id = ?1")  \
    XX(RESULT_GET, "SELECT 1 FROM result AS r WHERE step_id BETWEEN ?1 AND ?2 "                    \
                   "AND " SW__RESULT_ROW " ORDER BY step_id")                                      \
    XX(RESULT_PAGE, "WITH wanted (least, most) AS (VALUES " SW__RESULT_RANGES ") "                 \
                    "SELECT 1 FROM wanted AS w CROSS JOIN result AS r "                            \
                    "WHERE r.step_id BETWEEN least AND most AND " SW__RESULT_ROW)                  \
    XX(FAILURE_PUT, "INSERT OR REPLACE INTO failure "                                              \
                    "(" SW__COLUMNS_FAILURE ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                   \
    XX(FAILURE_GET, "SELECT " SW__COLUMNS_FAILURE " FROM failure "                                 \
                    "WHERE step_id = ?1 ORDER BY epoch DESC LIMIT 1")                              \
    XX(EVENT_PUT, "INSERT INTO event (" SW__COLUMNS_EVENT ", blob_no, body) "                      \
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                       \
    XX(EVENT_GET, "SELECT " SW__COLUMNS_EVENT ", " SW__PAYLOAD(                                    \
                      "body", "event.blob_no") " FROM event WHERE entry_no = ?1")                  \
    XX(EVENT_FIND, "SELECT entry_no FROM event WHERE task_no = ?1 AND event_key = ?2")             \
    XX(EVENT_SCAN, SW__EVENT_SCAN("", ""))                                                         \
    XX(EVENT_SCAN_FALLING, SW__EVENT_SCAN("", " DESC"))                                            \
    XX(EVENT_SCAN_TYPE, SW__EVENT_SCAN("type = ?4 AND ", ""))                                      \
    XX(EVENT_SCAN_TYPE_FALLING, SW__EVENT_SCAN("type = ?4 AND ", " DESC"))                         \
    XX(EVENT_SCAN_CORRELATION, SW__EVENT_SCAN("correlation_id = ?4 AND ", ""))                     \
    XX(EVENT_SCAN_CORRELATION_FALLING, SW__EVENT_SCAN("correlation_id = ?4 AND ", " DESC"))        \
    XX(EVENT_BLOBS, "SELECT blob_no FROM event "                                                   \
                    "WHERE task_no = ?1 AND salt IS NOT NULL AND blob_no IS NOT NULL")             \
    XX(EVENT_STRIP, "UPDATE event SET event_key = NULL, correlation_id = NULL, salt = NULL, "      \
                    "blob_no = NULL, body = NULL WHERE task_no = ?1 AND salt IS NOT NULL")         \
    XX(PROJECTION_PUT, "INSERT OR REPLACE INTO projection (" SW__COLUMNS_PROJECTION ") "           \
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                                          \
    XX(PROJECTION_FIND, "SELECT " SW__COLUMNS_PROJECTION " FROM projection WHERE name = ?1")       \
    XX(PROJECTION_LIST, "SELECT " SW__COLUMNS_PROJECTION " FROM projection ORDER BY name")         \
    XX(PROJECTION_DELETE, "DELETE FROM projection WHERE name = ?1")                                \
    XX(PROJECTION_FORGET, "DELETE FROM projection")                                                \
    XX(DEADLINE_PUT, "INSERT OR REPLACE INTO deadline (subject, due_us) VALUES (?1, ?2)")          \
    XX(DEADLINE_DELETE, "DELETE FROM deadline WHERE subject = ?1")                                 \
    XX(DEADLINE_GET, "SELECT due_us FROM deadline WHERE subject = ?1")                             \
    XX(DEADLINE_DUE, "SELECT subject, due_us FROM deadline WHERE due_us <= ?1 "                    \
                     "ORDER BY due_us, subject LIMIT ?2")                                          \
    XX(DEADLINES_DELETE, "DELETE FROM deadline WHERE subject BETWEEN ?1 AND ?2")                   \
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
