/* Anchors at witnesses, as C2SP tlog-witness defines them: a checkpoint goes there with a proof
 * that it continues the one that the witness saw last, and comes back cosigned.
 *
 * The witness says itself what it saw last, in its answer to a request that names another size
 * (409). HTTP is spoken by the command curl, which brings TLS, proxies and the system's
 * certificates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/anchor.h"
#include "audit/checkpoint.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

#define WITNESS_SECONDS "30"
#define WITNESS_ROUNDS 3 /* another of our requests may come between */

/* What HTTP answers; the body stays in said. */
static int witness_split(sw__buf *said, int *http)
{
    if (said->len < 4 || said->ptr[said->len - 4] != '\n')
        return SW_EIO;
    *http = 0;
    for (size_t i = said->len - 3; i < said->len; i++)
        *http = *http * 10 + (said->ptr[i] - '0');
    said->len -= 4;
    return SW_OK;
}

/* Ask for an address; data names a file to post, NULL to get. */
static int witness_ask(const sw__anchoring *anchoring, const char *address, const char *data,
                       sw__buf *said, int *http, sw_error *err)
{
    int status = 0;
    char complaint[160] = "";
    const char *argv[16] = {"curl",           "--silent",       "--show-error",
                            "--max-time",     WITNESS_SECONDS,  "--write-out",
                            "\n%{http_code}", "--max-filesize", "1000000"};
    size_t count = 9;
    if (data) {
        argv[count++] = "--data-binary";
        argv[count++] = data;
    }
    argv[count++] = "--";
    argv[count++] = address;
    int rc =
        sw__tool_run(anchoring->env, argv, anchoring->command_ms, said, complaint, &status, err);
    if (rc < 0)
        return rc;
    if (status != 0 || witness_split(said, http) < 0)
        return sw__fail(err, SW_EIO, "the witness \"%s\" does not answer: %s", anchoring->target,
                        complaint[0] ? complaint : "curl failed");
    return SW_OK;
}

static int witness_refused(const sw__anchoring *anchoring, int http, sw_error *err)
{
    static const struct {
        int http;
        int code;
        const char *why;
    } answers[] = {
        {400, SW_EINVAL, "it cannot read the request"},
        {403, SW_EACCESS, "it does not trust the key that has signed the checkpoint"},
        {404, SW_ENOTFOUND, "it does not know the log"},
        {409, SW_EBUSY, "it sees other checkpoints of the log at the same time"},
        {422, SW_EAUDIT, "the checkpoint does not continue the one that it saw before"},
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (answers[i].http == http)
            return sw__fail(err, answers[i].code, "the witness \"%s\" refuses: %s",
                            anchoring->target, answers[i].why);
    }
    return sw__fail(err, SW_EIO, "the witness \"%s\" answers with status %d", anchoring->target,
                    http);
}

/* Post one request from a file of its own. */
static int witness_post(const sw__anchoring *anchoring, sw_str request, sw__buf *said, int *http,
                        sw_error *err)
{
    char file[] = "@/tmp/stepwell-witness-XXXXXX";
    char address[2048];
    int used = snprintf(address, sizeof(address), "%s/add-checkpoint", anchoring->target);
    if (used < 0 || (size_t)used >= sizeof(address))
        return sw__fail(err, SW_EINVAL, "the address of the witness is too long");
    int fd = mkstemp(file + 1);
    if (fd < 0)
        return sw__fail(err, SW_EIO, "cannot make a file in /tmp");
    close(fd);
    int rc = sw__file_write(file + 1, 0600, request, err);
    if (rc == SW_OK)
        rc = witness_ask(anchoring, address, file, said, http, err);
    unlink(file + 1);
    return rc;
}

/* Behind the checkpoint, the cosignatures that came back. */
static int witness_keep(const sw__anchoring *anchoring, sw__buf *said, sw_error *err)
{
    sw__buf note;
    sw__buf_init(&note, anchoring->env);
    sw__buf_put_str(&note, anchoring->row->note);
    sw__buf_put_str(&note, sw__buf_str(said));
    anchoring->row->note = sw__arena_str(anchoring->arena, sw__buf_str(&note));
    int rc = note.failed || !anchoring->row->note.ptr ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
    sw__buf_free(&note);
    return rc;
}

int sw__anchor_witness_put(sw__anchoring *anchoring, sw_error *err)
{
    sw__buf request, said;
    int http = 409;
    int rc = SW_OK;
    int64_t old = 0;
    sw__buf_init(&request, anchoring->env);
    sw__buf_init(&said, anchoring->env);
    for (int i = 0; rc == SW_OK && http == 409 && i < WITNESS_ROUNDS; i++) {
        sw__buf_clear(&request);
        rc = anchoring->prove(anchoring->context, old, &request, err);
        if (rc == SW_OK)
            rc = witness_post(anchoring, sw__buf_str(&request), &said, &http, err);
        sw_str line = {(char *)said.ptr, said.len > 0 ? said.len - 1 : 0};
        if (rc == SW_OK && http == 409 && !sw__note_number(line, &old))
            rc = sw__fail(err, SW_EIO, "the witness \"%s\" does not say which size it saw",
                          anchoring->target);
    }
    if (rc == SW_OK && http != 200)
        rc = witness_refused(anchoring, http, err);
    if (rc == SW_OK)
        rc = witness_keep(anchoring, &said, err);
    sw__buf_free(&said);
    sw__buf_free(&request);
    return rc;
}

int sw__anchor_witness_get(sw__anchoring *anchoring, sw_error *err)
{
    sw__buf said;
    int http = 0;
    uint8_t digest[32];
    char hex[65];
    char address[2048];
    sw__checkpoint checkpoint;
    if (sw__hash(anchoring->hasher, &anchoring->origin, 1, digest) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__hash_hex(digest, hex);
    int used = snprintf(address, sizeof(address), "%s/%s/checkpoint", anchoring->target, hex);
    if (used < 0 || (size_t)used >= sizeof(address))
        return sw__fail(err, SW_EINVAL, "the address of the witness is too long");
    sw__buf_init(&said, anchoring->env);
    int rc = witness_ask(anchoring, address, NULL, &said, &http, err);
    if (rc == SW_OK && http != 200)
        rc = witness_refused(anchoring, http, err);
    else if (rc == SW_OK && !sw__checkpoint_peek(sw__buf_str(&said), &checkpoint))
        rc = sw__fail(err, SW_EAUDIT, "the witness \"%s\" has no checkpoint", anchoring->target);
    if (rc == SW_OK) {
        anchoring->row->note = sw__arena_str(anchoring->arena, sw__buf_str(&said));
        anchoring->row->entry_count = checkpoint.size;
    }
    sw__buf_free(&said);
    return rc;
}

#undef WITNESS_SECONDS
#undef WITNESS_ROUNDS
