/* Checks of arguments; see check.h. */
#include "engine/check.h"

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/utf8.h"
#include "stepwell/ops.h"

static int check_pointer(sw_str text, const char *field, size_t row, sw_error *err)
{
    if (!text.ptr && text.len > 0)
        return sw__fail_row(err, SW_EINVAL, row, "%s has a length but no text", field);
    return SW_OK;
}

int sw__check_rows(const void *rows, size_t count, sw_error *err)
{
    if (!rows && count > 0)
        return sw__fail(err, SW_EINVAL, "rows is NULL");
    if (count > SW__BATCH_MAX)
        return sw__fail(err, SW_ELIMIT, "at most %d rows in one call", SW__BATCH_MAX);
    return SW_OK;
}

int sw__check_batch(const void *rows, size_t count, int mode, sw_error *err)
{
    int rc = sw__check_rows(rows, count, err);
    if (rc == SW_OK && (mode < 0 || mode >= SW_BATCH_MODE_COUNT))
        rc = sw__fail(err, SW_EINVAL, "mode %d is no mode of a batch", mode);
    return rc;
}

int sw__check_payload(sw_str json, int64_t max, const char *field, size_t row, sw_error *err)
{
    size_t offset = 0;
    const char *why = "";
    int rc = check_pointer(json, field, row, err);
    if (rc < 0 || !json.ptr)
        return rc;
    if ((int64_t)json.len > max)
        return sw__fail_row(err, SW_ELIMIT, row, "%s has %zu bytes, at most %lld are kept", field,
                            json.len, (long long)max);
    if (!sw__json_check(json, &offset, &why))
        return sw__fail_row(err, SW_EINVAL, row, "%s is not JSON: %s at byte %zu", field, why,
                            offset);
    return SW_OK;
}

bool sw__check_is_null(sw_str json)
{
    return json.len == 0 || sw__str_is(json, "null");
}

int sw__check_text(sw_str text, size_t max, const char *field, size_t row, sw_error *err)
{
    int rc = check_pointer(text, field, row, err);
    if (rc < 0 || !text.ptr)
        return rc;
    if (text.len > max)
        return sw__fail_row(err, SW_ELIMIT, row, "%s has %zu bytes, at most %zu are allowed", field,
                            text.len, max);
    if (!sw__utf8_is_text(text))
        return sw__fail_row(err, SW_EINVAL, row,
                            "%s must be valid UTF-8 without control characters", field);
    return SW_OK;
}

int sw__check_long_text(sw_str text, const char *field, size_t row, sw_error *err)
{
    int rc = check_pointer(text, field, row, err);
    if (rc < 0)
        return rc;
    if (text.len > SW__ERROR_TEXT_MAX)
        return sw__fail_row(err, SW_ELIMIT, row, "%s has %zu bytes, at most %d are kept", field,
                            text.len, SW__ERROR_TEXT_MAX);
    if (sw__utf8_check(text) != text.len)
        return sw__fail_row(err, SW_EINVAL, row, "%s is not valid UTF-8", field);
    return SW_OK;
}

int sw__check_name(sw_str name, const char *field, size_t row, sw_error *err)
{
    int rc = check_pointer(name, field, row, err);
    if (rc == SW_OK && !sw__str_is_name(name))
        return sw__fail_row(err, SW_EINVAL, row,
                            "%s must have 1 to %d characters of A-Z a-z 0-9 _ . -", field,
                            SW__NAME_MAX);
    return rc;
}

int sw__check_priority(int64_t priority, size_t row, sw_error *err)
{
    if (priority < INT16_MIN || priority > INT16_MAX)
        return sw__fail_row(err, SW_EINVAL, row, "priority %lld is not within -32768 and 32767",
                            (long long)priority);
    return SW_OK;
}
