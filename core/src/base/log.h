/* Making a log record: nothing is evaluated when the level is below the sink's. */
#ifndef SW_BASE_LOG_H
#define SW_BASE_LOG_H

#include "stepwell/sys/log.h"

void sw__log_write(const sw_log *log, int level, const char *event, const sw_log_field *fields,
                   size_t field_count);

/* sw__log(log, SW_LOG_WARN, "worker.lost", {"worker", {0}, worker_id}, {"name", name, 0}) */
#define sw__log(log, level, event, ...)                                                            \
    do {                                                                                           \
        if ((log) && (level) >= (log)->level) {                                                    \
            const sw_log_field sw__log_fields[] = {__VA_ARGS__};                                   \
            sw__log_write((log), (level), (event), sw__log_fields,                                 \
                          sizeof(sw__log_fields) / sizeof(sw__log_fields[0]));                     \
        }                                                                                          \
    } while (0)

#endif
