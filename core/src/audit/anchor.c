/* Anchors in files, databases and the system's log. In files and the log, one line for each,
 *
 *     stepwell-checkpoint SECONDS BASE64(checkpoint)
 *
 * which may stand behind whatever a log puts in front of it. Those in git and at witnesses are in
 * files of their own. */
#include "audit/anchor.h"

#include <string.h>
#include <syslog.h>

#include "audit/checkpoint.h"
#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "store/anchor_db.h"

#define ANCHOR_MARK "stepwell-checkpoint "
#define ANCHOR_FILE_MAX ((size_t)256 * 1024 * 1024)
#define ANCHOR_MODE 0644

static int anchor_put_line(const sw__anchoring *anchoring, sw__buf *line, sw_error *err)
{
    const sw_str note = anchoring->row->note;
    sw__buf_init(line, anchoring->env);
    sw__buf_printf(line, ANCHOR_MARK "%lld ", (long long)anchoring->row->time_us / 1000000);
    sw__base64_put(line, note.ptr, note.len);
    return line->failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

static int anchor_file_put(sw__anchoring *anchoring, sw_error *err)
{
    sw__buf line;
    int rc = anchor_put_line(anchoring, &line, err);
    sw__buf_put_byte(&line, '\n');
    if (rc == SW_OK && line.failed)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = sw__file_append(anchoring->target, ANCHOR_MODE, sw__buf_str(&line), err);
    sw__buf_free(&line);
    return rc;
}

/* No openlog: how the log names its host is the host's business. syslog(3) does not say whether
 * anybody listens. */
static int anchor_syslog_put(sw__anchoring *anchoring, sw_error *err)
{
    sw__buf line;
    int rc = anchor_put_line(anchoring, &line, err);
    if (rc == SW_OK)
        syslog(LOG_AUTHPRIV | LOG_NOTICE, "%.*s", (int)line.len, (const char *)line.ptr);
    sw__buf_free(&line);
    return rc;
}

/* The anchor of a line, when it has one of this log that is not of fewer entries than the one
 * before: 1 or 0, or SW_ENOMEM. A line that is damaged has none. Whoever may add lines, as anybody
 * may to the system's log, could repeat an old one, and has not taken the newest back by that. */
static int anchor_read_line(sw__anchoring *anchoring, int64_t entries, sw_str line,
                            sw__buf *scratch)
{
    size_t size = 0;
    int64_t seconds = 0;
    sw__checkpoint checkpoint;
    const char *mark =
        line.len > 0 ? memmem(line.ptr, line.len, ANCHOR_MARK, sizeof(ANCHOR_MARK) - 1) : NULL;
    if (!mark)
        return 0;
    const char *digits = mark + sizeof(ANCHOR_MARK) - 1;
    const char *blank = memchr(digits, ' ', (size_t)(line.ptr + line.len - digits));
    if (!blank || !sw__note_number((sw_str){digits, (size_t)(blank - digits)}, &seconds) ||
        seconds > INT64_MAX / 1000000)
        return 0;
    sw_str encoded = {blank + 1, (size_t)(line.ptr + line.len - blank - 1)};
    sw__buf_clear(scratch);
    uint8_t *room = sw__buf_reserve(scratch, encoded.len + 1);
    if (!room)
        return SW_ENOMEM;
    if (!sw__base64_read(encoded, room, encoded.len, &size) ||
        !sw__checkpoint_peek((sw_str){(char *)room, size}, &checkpoint) ||
        !sw__str_equal(checkpoint.origin, anchoring->origin) || checkpoint.size < entries)
        return 0;
    *anchoring->row = (sw_audit_anchor){
        .note = sw__arena_str(anchoring->arena, (sw_str){(char *)room, size}),
        .entry_count = checkpoint.size,
        .time_us = seconds * 1000000,
    };
    return anchoring->row->note.ptr ? 1 : SW_ENOMEM;
}

static int anchor_file_get(sw__anchoring *anchoring, sw_error *err)
{
    sw__buf text, scratch;
    bool found = false;
    sw__buf_init(&text, anchoring->env);
    sw__buf_init(&scratch, anchoring->env);
    int rc = sw__file_read(anchoring->target, ANCHOR_FILE_MAX, &text, err);
    sw_str rest = sw__buf_str(&text);
    sw_str line;
    while (rc == SW_OK && sw__note_line(&rest, &line)) {
        int64_t entries = found ? anchoring->row->entry_count : 0;
        int one = anchor_read_line(anchoring, entries, line, &scratch);
        found = found || one == 1;
        if (one < 0)
            rc = sw__fail(err, one, NULL);
    }
    if (rc == SW_OK && !found)
        rc = sw__fail(err, SW_ENOTFOUND, "\"%s\" holds no anchor of \"%.*s\"", anchoring->target,
                      SW__FMT(anchoring->origin));
    sw__buf_free(&scratch);
    sw__buf_free(&text);
    return rc;
}

/* What collects the log is a file, when somebody says which. */
static int anchor_syslog_get(sw__anchoring *anchoring, sw_error *err)
{
    if (*anchoring->target)
        return anchor_file_get(anchoring, err);
    return sw__fail(err, SW_EINVAL,
                    "the system's log is read as the file that it is collected in: syslog:PATH");
}

static int anchor_db_put(sw__anchoring *anchoring, sw_error *err)
{
    return sw__anchor_db_put(anchoring->target, anchoring->origin, anchoring->row, err);
}

static int anchor_db_get(sw__anchoring *anchoring, sw_error *err)
{
    return sw__anchor_db_get(anchoring->target, anchoring->origin, anchoring->arena, anchoring->row,
                             err);
}

const sw__anchor_kind *sw__anchor_find(sw_str place, sw__arena *arena, const char **target)
{
    static const sw__anchor_kind kinds[] = {
        {"file:", anchor_file_put, anchor_file_get, false},
        {"syslog:", anchor_syslog_put, anchor_syslog_get, false},
        {"db:", anchor_db_put, anchor_db_get, false},
        {"git:", sw__anchor_git_put, sw__anchor_git_get, false},
        {"http://", sw__anchor_witness_put, sw__anchor_witness_get, true},
        {"https://", sw__anchor_witness_put, sw__anchor_witness_get, true},
    };
    if (place.len > 0 && memchr(place.ptr, '\0', place.len))
        return NULL;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t length = strlen(kinds[i].prefix);
        size_t cut = kinds[i].whole ? 0 : length;
        if (place.len < length || memcmp(place.ptr, kinds[i].prefix, length) != 0)
            continue;
        while (kinds[i].whole && place.ptr[place.len - 1] == '/')
            place.len--;
        *target = sw__arena_str(arena, (sw_str){place.ptr + cut, place.len - cut}).ptr;
        return &kinds[i];
    }
    return NULL;
}

#undef ANCHOR_MARK
#undef ANCHOR_FILE_MAX
#undef ANCHOR_MODE
