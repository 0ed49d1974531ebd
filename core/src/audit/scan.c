/* Looking through the log: where to begin, which segments to skip, which entries match.
 *
 * Times never fall along the log, so that halving finds where a time begins. A segment lists its
 * tasks before its entries: one that holds none of the wanted tasks is not decoded. */
#include "audit/scan.h"

#include <string.h>

#include "audit/segment.h"
#include "base/error.h"
#include "base/str.h"

typedef struct scan_walk {
    const sw_audit_filter *filter;
    const sw__map *tasks;
    sw__scan_take take;
    void *context;
    sw__buf wanted; /* by place in the table: 1 for a task that is meant */
} scan_walk;

bool sw__entry_outcome(const sw_audit_entry *entry, sw_str *name)
{
    const char *text = NULL;
    if (entry->kind == SW_AUDIT_STEP_CHANGED)
        text = sw_step_state_name(entry->to);
    else if (entry->kind == SW_AUDIT_TASK_CHANGED)
        text = sw_task_state_name(entry->to);
    *name = (sw_str){text, text ? strlen(text) : 0};
    return text != NULL;
}

static bool scan_text(sw_str wanted, sw_str text)
{
    return !wanted.ptr || (text.ptr && sw__str_equal(wanted, text));
}

static bool scan_task(const sw_uuid *wanted, const sw_uuid *task_id)
{
    static const sw_uuid any = {{0}};
    return memcmp(wanted, &any, sizeof(any)) == 0 || memcmp(wanted, task_id, sizeof(any)) == 0;
}

static bool scan_matches(const sw_audit_filter *filter, const sw_audit_entry *entry)
{
    sw_str outcome;
    sw__entry_outcome(entry, &outcome);
    return entry->entry_no > filter->after_entry_no &&
           (filter->kind == 0 || filter->kind == entry->kind) &&
           entry->time_us >= filter->after_us &&
           (filter->before_us == 0 || entry->time_us < filter->before_us) &&
           scan_task(&filter->task_id, &entry->task_id) && scan_text(filter->actor, entry->actor) &&
           scan_text(filter->step, entry->step) && scan_text(filter->outcome, outcome);
}

static int scan_refuse(const sw__segment *segment, const char *why, sw_error *err)
{
    return sw__fail(err, SW_EAUDIT, "segment %lld of the audit log cannot be read: %s",
                    (long long)segment->segment_no, why);
}

/* Read the table; *any says whether a wanted task is in it. */
static int scan_table(scan_walk *walk, sw__body *body, bool *any, sw_error *err)
{
    *any = walk->tasks == NULL;
    sw__buf_clear(&walk->wanted);
    for (int64_t i = 0; i < body->task_count; i++) {
        int64_t task_no = 0;
        int64_t previous = 0;
        if (!sw__body_task(body, &task_no, &previous))
            return SW_EAUDIT;
        if (!walk->tasks)
            continue;
        bool wanted = sw__map_find(walk->tasks, task_no) != NULL;
        sw__buf_put_byte(&walk->wanted, wanted);
        *any = *any || wanted;
    }
    return walk->wanted.failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

static bool scan_wants(const scan_walk *walk, int64_t place)
{
    return !walk->tasks || (place > 0 && walk->wanted.ptr[place - 1]);
}

static int scan_entries(scan_walk *walk, const sw__segment *segment, sw__body *body, sw_error *err)
{
    int rc = SW_OK;
    for (int64_t i = 0; rc == SW_OK && i < segment->entry_count; i++) {
        sw_audit_entry entry;
        int64_t place = 0;
        if (!sw__body_entry(body, &place, &entry))
            return SW_EAUDIT;
        if (scan_wants(walk, place) && scan_matches(walk->filter, &entry))
            rc = walk->take(walk->context, &entry, err);
    }
    return rc;
}

static int scan_visit(void *context, const sw__segment *segment, sw_error *err)
{
    scan_walk *walk = context;
    sw__body body;
    bool any = false;
    if (walk->filter->before_us > 0 && segment->time_us >= walk->filter->before_us)
        return 1;
    int rc = sw__body_open(&body, segment->body) ? scan_table(walk, &body, &any, err) : SW_EAUDIT;
    if (rc == SW_OK && any)
        rc = scan_entries(walk, segment, &body, err);
    return rc == SW_EAUDIT && body.wire.why ? scan_refuse(segment, body.wire.why, err) : rc;
}

int sw__scan_begin(sw__store *store, int64_t time_us, int64_t *entry_no, sw_error *err)
{
    sw__segment segment;
    int rc = sw__segment_newest(store, &segment, err);
    int64_t high = segment.segment_no;
    *entry_no = segment.time_us >= time_us ? segment.entry_first : 0;
    for (int64_t low = 1; rc == SW_OK && *entry_no > 0 && low < high;) {
        int64_t middle = low + (high - low) / 2;
        sw__arena *scratch = sw__arena_new(store->env);
        rc = scratch ? store->ops->segment_get(store, middle, scratch, &segment, err)
                     : sw__fail(err, SW_ENOMEM, NULL);
        sw__arena_free(scratch);
        if (rc == SW_OK && segment.time_us >= time_us) {
            high = middle;
            *entry_no = segment.entry_first;
        } else {
            low = middle + 1;
        }
    }
    return rc == SW_ENOTFOUND ? sw__fail(err, SW_EAUDIT, "a segment of the audit log is missing")
                              : rc;
}

int sw__scan_walk(sw__store *store, const sw_audit_filter *filter, const sw__map *tasks,
                  sw__scan_take take, void *context, sw_error *err)
{
    scan_walk walk = {.filter = filter, .tasks = tasks, .take = take, .context = context};
    int64_t begin = 1;
    int rc = filter->after_us > 0 ? sw__scan_begin(store, filter->after_us, &begin, err) : SW_OK;
    if (rc < 0 || begin == 0)
        return rc;
    if (filter->after_entry_no >= begin)
        begin = filter->after_entry_no + 1;
    sw__buf_init(&walk.wanted, store->env);
    rc = store->ops->segments_each(store, begin, scan_visit, &walk, err);
    sw__buf_free(&walk.wanted);
    return rc;
}

int sw__scan_rows(const sw_audit_entry *rows, size_t count, const sw_audit_filter *filter,
                  sw__scan_take take, void *context, sw_error *err)
{
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        if (scan_matches(filter, &rows[i]))
            rc = take(context, &rows[i], err);
    }
    return rc < 0 ? rc : SW_OK;
}
