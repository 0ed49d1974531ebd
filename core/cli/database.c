/* Open the engine as the options say, and find tasks by what people type. */
#include "database.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "out.h"
#include "task_file.h"
#include "text.h"

#define TASK_PAGE 1000
#define TASK_ID_LENGTH 36
#define TASK_MATCHES_MAX 4

static const char *database_path(const cli_call *call)
{
    const char *path = call->values[CLI_OPTION_DB].text;
    if (!path)
        path = getenv("STEPWELL_DB");
    return path && path[0] ? path : "stepwell.db";
}

int cli_database_open(const cli_call *call, cli_database_use use, sw_engine **out)
{
    sw_error error = {0};
    if (cli_given(call, CLI_OPTION_FILE) || cli_given(call, CLI_OPTION_AT_ENTRY))
        return cli_task_file_open(call, out);
    const char *path = database_path(call);
    const char *durability = call->values[CLI_OPTION_DURABILITY].text;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = cli_str(path);
    options.must_exist = use == CLI_DATABASE_LOOK;
    if (durability)
        options.durability = sw_durability_find(cli_str(durability));
    if (sw_engine_open(&options, out, &error) >= 0)
        return CLI_EXIT_OK;
    const char *hint = NULL;
    if (error.code == SW_ENOTFOUND && use == CLI_DATABASE_LOOK)
        hint = "`stepwell run FILE` makes one; --db or STEPWELL_DB names another";
    return cli_fail_error(&error, hint, "cannot open the database '%s'", path);
}

/* One page of tasks, newest first, that were submitted before `before`. */
static int tasks_page(sw_engine *engine, const sw_task_filter *filter, sw_result **out)
{
    sw_error error = {0};
    if (sw_task_list(engine, filter, out, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot list tasks");
    return CLI_EXIT_OK;
}

/* The newest task that filter lets through; *found says whether there is one. */
static int task_newest(sw_engine *engine, int state, bool *found, sw_uuid *out)
{
    sw_result *result = NULL;
    size_t count = 0;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    filter.state = state;
    filter.limit = 1;
    int status = tasks_page(engine, &filter, &result);
    if (status == CLI_EXIT_OK) {
        const sw_task_row *rows = sw_tasks(result, &count);
        *found = count > 0;
        if (count > 0)
            *out = rows[0].task_id;
    }
    sw_result_free(result);
    return status;
}

/* Tasks whose ids begin with the same characters. */
typedef struct task_matches {
    const char *prefix;
    size_t count;
    sw_uuid first;
    char names[TASK_MATCHES_MAX][TASK_ID_LENGTH + 1];
} task_matches;

static void task_match_page(task_matches *matches, const sw_task_row *rows, size_t count)
{
    char name[TASK_ID_LENGTH + 1];
    for (size_t i = 0; i < count; i++) {
        sw_uuid_format(&rows[i].task_id, name);
        if (strncasecmp(name, matches->prefix, strlen(matches->prefix)) != 0)
            continue;
        if (matches->count == 0)
            matches->first = rows[i].task_id;
        if (matches->count < TASK_MATCHES_MAX)
            memcpy(matches->names[matches->count], name, sizeof(name));
        matches->count++;
    }
}

static int task_match_all(sw_engine *engine, task_matches *matches)
{
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    filter.limit = TASK_PAGE;
    for (;;) {
        sw_result *result = NULL;
        size_t count = 0;
        int status = tasks_page(engine, &filter, &result);
        if (status != CLI_EXIT_OK)
            return status;
        const sw_task_row *rows = sw_tasks(result, &count);
        task_match_page(matches, rows, count);
        if (count > 0)
            filter.before = rows[count - 1].task_id;
        sw_result_free(result);
        if (count < TASK_PAGE)
            return CLI_EXIT_OK;
    }
}

static int task_matches_choose(const task_matches *matches, sw_uuid *out)
{
    char hint[TASK_MATCHES_MAX * (TASK_ID_LENGTH + 2) + 32] = "write more of it: ";
    if (matches->count == 0)
        return cli_fail(CLI_EXIT_NOT_FOUND, "`stepwell list` shows the tasks",
                        "there is no task '%s'", matches->prefix);
    if (matches->count == 1) {
        *out = matches->first;
        return CLI_EXIT_OK;
    }
    for (size_t i = 0; i < matches->count && i < TASK_MATCHES_MAX; i++) {
        size_t used = strlen(hint);
        snprintf(hint + used, sizeof(hint) - used, "%s%s", i ? ", " : "", matches->names[i]);
    }
    return cli_fail(CLI_EXIT_NOT_FOUND, hint, "%zu tasks begin with '%s'", matches->count,
                    matches->prefix);
}

/* Whether text could be the beginning of an id. */
static bool task_prefix_valid(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= TASK_ID_LENGTH &&
           strspn(text, "0123456789abcdefABCDEF-") == length;
}

int cli_task_find(sw_engine *engine, const char *text, sw_uuid *out)
{
    bool found = false;
    if (!text) {
        int status = task_newest(engine, -1, &found, out);
        if (status != CLI_EXIT_OK || found)
            return status;
        return cli_fail(CLI_EXIT_NOT_FOUND, "`stepwell run FILE` starts one",
                        "there is no task in this database yet");
    }
    if (sw_uuid_parse(cli_str(text), out) == SW_OK)
        return CLI_EXIT_OK;
    if (!task_prefix_valid(text))
        return cli_fail(CLI_EXIT_USAGE, "`stepwell list` shows the tasks",
                        "'%s' is neither a task id nor the beginning of one", text);
    task_matches matches = {.prefix = text};
    int status = task_match_all(engine, &matches);
    return status == CLI_EXIT_OK ? task_matches_choose(&matches, out) : status;
}

int cli_task_find_unfinished(sw_engine *engine, sw_uuid *out)
{
    bool any = false;
    for (int state = 0; state < SW_TASK_STATE_COUNT; state++) {
        bool found = false;
        sw_uuid task_id;
        if (sw_task_state_terminal(state))
            continue;
        int status = task_newest(engine, state, &found, &task_id);
        if (status != CLI_EXIT_OK)
            return status;
        if (found && (!any || memcmp(task_id.bytes, out->bytes, sizeof(out->bytes)) > 0))
            *out = task_id;
        any = any || found;
    }
    if (any)
        return CLI_EXIT_OK;
    return cli_fail(CLI_EXIT_NOT_FOUND, "`stepwell list` shows the tasks",
                    "there is no unfinished task to resume");
}

int cli_task_read(sw_engine *engine, const sw_uuid *task_id, sw_result **out)
{
    sw_error error = {0};
    if (sw_task_get(engine, task_id, out, &error) >= 0)
        return CLI_EXIT_OK;
    char name[TASK_ID_LENGTH + 1];
    sw_uuid_format(task_id, name);
    return cli_fail_error(&error, "`stepwell list` shows the tasks", "cannot read the task %s",
                          name);
}

const char *cli_user(void)
{
    const char *name = getenv("USER");
    if (name && name[0])
        return name;
    const struct passwd *entry = getpwuid(getuid());
    return entry ? entry->pw_name : "unknown";
}

int cli_task_logged(sw_engine *engine, const char *text, sw_uuid *out)
{
    return sw_uuid_parse(cli_str(text), out) < 0 ? cli_task_find(engine, text, out) : CLI_EXIT_OK;
}
