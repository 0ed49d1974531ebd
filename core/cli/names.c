/* Names of workers, from the store and from the audit log. */
#include "names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "text.h"

#define NAMES_PAGE 1000
#define NAMES_PAGES_MAX 20

static void names_add(cli_names *names, int64_t worker_id, sw_str name)
{
    if (cli_names_find(names, worker_id).ptr)
        return;
    if (names->count == names->room) {
        size_t room = names->room ? names->room * 2 : 8;
        cli_name *rows = cli_alloc(room * sizeof(*rows));
        if (names->count > 0)
            memcpy(rows, names->rows, names->count * sizeof(*rows));
        free(names->rows);
        names->rows = rows;
        names->room = room;
    }
    names->rows[names->count++] =
        (cli_name){.worker_id = worker_id, .text = cli_text_clean(name, CLI_TEXT_NO_LIMIT)};
}

void cli_names_open(cli_names *names, sw_engine *engine)
{
    sw_result *result = NULL;
    size_t count = 0;
    *names = (cli_names){0};
    if (sw_worker_list(engine, &result, NULL) < 0)
        return;
    const sw_worker_row *workers = sw_workers(result, &count);
    for (size_t i = 0; i < count; i++)
        names_add(names, workers[i].worker_id, workers[i].name);
    sw_result_free(result);
}

void cli_names_close(cli_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->rows[i].text);
    free(names->rows);
    *names = (cli_names){0};
}

void cli_names_take(cli_names *names, const sw_audit_entry *entry)
{
    if (entry->kind == SW_AUDIT_WORKER_OPENED && entry->actor.len > 0)
        names_add(names, entry->worker_id, entry->actor);
}

static bool names_complete(const cli_names *names, const sw_audit_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (entries[i].worker_id && !cli_names_find(names, entries[i].worker_id).ptr)
            return false;
    }
    return true;
}

void cli_names_search(cli_names *names, sw_engine *engine, const sw_audit_entry *entries,
                      size_t count)
{
    int64_t end = count > 0 ? entries[count - 1].entry_no : 0;
    for (int page = 0; page < NAMES_PAGES_MAX && end > 0; page++) {
        sw_result *result = NULL;
        size_t found = 0;
        if (names_complete(names, entries, count))
            return;
        int64_t start = end > NAMES_PAGE ? end - NAMES_PAGE + 1 : 1;
        if (sw_audit_list(engine, start, end - start + 1, &result, NULL) < 0)
            return;
        const sw_audit_entry *rows = sw_audit_entries(result, &found);
        for (size_t i = 0; i < found; i++)
            cli_names_take(names, &rows[i]);
        sw_result_free(result);
        end = start - 1;
    }
}

sw_str cli_names_find(const cli_names *names, int64_t worker_id)
{
    for (size_t i = 0; i < names->count; i++) {
        if (names->rows[i].worker_id == worker_id)
            return cli_str(names->rows[i].text);
    }
    return cli_str(NULL);
}
