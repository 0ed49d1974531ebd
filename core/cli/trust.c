/* Reading checkpoints and keys; see trust.h. Not here: whether they are good. */
#include "trust.h"

#include <stdlib.h>
#include <string.h>

#include "definition.h"
#include "out.h"
#include "text.h"

/* The whole file; the trust keeps its text. */
static int trust_read(cli_trust *trust, const char *path, sw_str *out)
{
    char *text = NULL;
    size_t size = 0;
    int status = cli_file_load(path, &text, &size);
    if (status != CLI_EXIT_OK)
        return status;
    trust->texts[trust->text_count++] = text;
    *out = (sw_str){text, size};
    return CLI_EXIT_OK;
}

static void trust_add_key(cli_trust *trust, const char *text, size_t size)
{
    sw_str *keys = cli_alloc((trust->given.key_count + 1) * sizeof(*keys));
    if (trust->given.key_count > 0)
        memcpy(keys, trust->given.keys, trust->given.key_count * sizeof(*keys));
    keys[trust->given.key_count++] = (sw_str){text, size};
    free((void *)(uintptr_t)trust->given.keys);
    trust->given.keys = keys;
}

/* A key, or with "@" a file that has one in each line. */
static int trust_read_keys(cli_trust *trust, const char *item)
{
    sw_str text;
    if (item[0] != '@') {
        trust_add_key(trust, item, strlen(item));
        return CLI_EXIT_OK;
    }
    int status = trust_read(trust, item + 1, &text);
    for (size_t at = 0, end; status == CLI_EXIT_OK && at < text.len; at = end + 1) {
        for (end = at; end < text.len && text.ptr[end] != '\n';)
            end++;
        if (end > at)
            trust_add_key(trust, text.ptr + at, end - at);
    }
    return status;
}

int cli_trust_read(cli_trust *trust, const cli_call *call)
{
    const cli_value *notes = &call->values[CLI_OPTION_CHECKPOINT];
    const cli_value *keys = &call->values[CLI_OPTION_VKEY];
    int status = CLI_EXIT_OK;
    sw_str *texts = cli_alloc((notes->item_count + 1) * sizeof(*texts));
    *trust = (cli_trust){.given = SW_AUDIT_TRUST_INIT};
    trust->texts = cli_alloc((notes->item_count + keys->item_count + 1) * sizeof(*trust->texts));
    trust->given.checkpoints = texts;
    for (size_t i = 0; status == CLI_EXIT_OK && i < notes->item_count; i++) {
        status = trust_read(trust, notes->items[i], &texts[i]);
        trust->given.checkpoint_count++;
    }
    for (size_t i = 0; status == CLI_EXIT_OK && i < keys->item_count; i++)
        status = trust_read_keys(trust, keys->items[i]);
    return status;
}

/* The name of the first key is that of the log. */
static sw_str trust_origin(const cli_trust *trust)
{
    const sw_str key = trust->given.keys[0];
    const char *plus = key.len > 0 ? memchr(key.ptr, '+', key.len) : NULL;
    return (sw_str){key.ptr, plus ? (size_t)(plus - key.ptr) : key.len};
}

int cli_trust_anchors(cli_trust *trust, const cli_call *call)
{
    const cli_value *places = &call->values[CLI_OPTION_ANCHOR];
    trust->anchors = cli_alloc(places->item_count * sizeof(*trust->anchors));
    trust->results = cli_alloc(places->item_count * sizeof(*trust->results));
    trust->given.anchors = trust->anchors;
    for (size_t i = 0; i < places->item_count; i++) {
        sw_error error = {0};
        sw_result **result = &trust->results[i];
        if (sw_audit_anchor_get(cli_str(places->items[i]), trust_origin(trust), result, &error) < 0)
            return cli_fail_error(&error, NULL, "cannot read the anchor");
        trust->anchors[trust->given.anchor_count++] = *sw_audit_anchors(*result, NULL);
    }
    return CLI_EXIT_OK;
}

int cli_trust_open(cli_trust *trust, const cli_call *call)
{
    int status = cli_trust_read(trust, call);
    bool anchors = cli_given(call, CLI_OPTION_ANCHOR);
    bool checkpoints = trust->given.checkpoint_count > 0 || anchors;
    if (status == CLI_EXIT_OK && checkpoints != (trust->given.key_count > 0))
        return cli_fail(CLI_EXIT_USAGE, "stepwell audit keygen printed the key",
                        "--checkpoint or --anchor and --vkey, the key that it must be signed by, "
                        "go together");
    return status == CLI_EXIT_OK && anchors ? cli_trust_anchors(trust, call) : status;
}

void cli_trust_close(cli_trust *trust)
{
    for (size_t i = 0; i < trust->text_count; i++)
        free(trust->texts[i]);
    for (size_t i = 0; i < trust->given.anchor_count; i++)
        sw_result_free(trust->results[i]);
    free(trust->results);
    free(trust->anchors);
    free(trust->texts);
    free((void *)(uintptr_t)trust->given.checkpoints);
    free((void *)(uintptr_t)trust->given.keys);
}
