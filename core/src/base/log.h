/* Making a log record: nothing is evaluated when the level is below the sink's. */
#ifndef SW_BASE_LOG_H
#define SW_BASE_LOG_H

#include "stepwell/sys/log.h"

void sw__log_write(const sw_log *log, int level, const char *event, const sw_log_field *fields,
                   size_t field_count);

/* sw__log(log, SW_LOG_WARN, "worker.lost", {"worker", {0}, worker_id}, {"name", name, 0}) */
#define sw__log(log_, level_, event_, ...)                                                         \
    do {                                                                                           \
        const sw_log *sw__log_sink = (log_);                                                       \
        if (sw__log_sink && (level_) >= sw__log_sink->level) {                                     \
            const sw_log_field sw__log_fields[] = {__VA_ARGS__};                                   \
            sw__log_write(sw__log_sink, (level_), (event_), sw__log_fields,                        \
                          sizeof(sw__log_fields) / sizeof(sw__log_fields[0]));                     \
        }                                                                                          \
    } while (0)

#endif
