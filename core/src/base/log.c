/* Handing log records to the sink. Not here: formatting, which is the sink's business. */
#include "base/log.h"

void sw__log_write(const sw_log *log, int level, const char *event, const sw_log_field *fields,
                   size_t field_count)
{
    if (log->write)
        log->write(log->context, level, event, fields, field_count);
}
