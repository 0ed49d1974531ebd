/* What a verification has found wrong: the words of the first finding and the range of entries
 * that cannot be trusted. */
#ifndef SW_AUDIT_DOUBT_H
#define SW_AUDIT_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

#include "stepwell/audit.h"

typedef struct sw__doubt {
    bool raised;
    int64_t first; /* entry numbers */
    int64_t last;
    char message[sizeof(((sw_audit_report *)0)->message)];
} sw__doubt;

/* Keep the message when it is the first, widen the range in any case. Returns SW_EAUDIT. */
int sw__doubt_raise(sw__doubt *doubt, int64_t first, int64_t last, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
