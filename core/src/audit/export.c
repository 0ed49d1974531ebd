/* The log as files; see export.h. */
#include "audit/export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/ahead.h"
#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "audit/leaves.h"
#include "audit/trust.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

#define EXPORT_MODE 0666
#define EXPORT_FOLDER_MODE 0777
#define EXPORT_FILE_MAX (SW__TILE_WIDTH * (2 + SW__ENTRY_MAX))

/* FOLDER/NAME in out, with a zero behind it. */
static int export_path(sw__buf *out, const char *folder, const char *name, sw_error *err)
{
    sw__buf_clear(out);
    sw__buf_printf(out, "%s/%s", folder, name);
    sw__buf_put_byte(out, '\0');
    return out->failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

/* Writing. */

typedef struct export_walk {
    const char *folder;
    int64_t size; /* of the checkpoint */
    sw__buf path;
    sw__tree tree;
    sw__tiles tiles;
} export_walk;

/* All folders that lead to a path. */
static int export_make_folders(char *path, size_t from, sw_error *err)
{
    for (char *at = path + from; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        int rc = mkdir(path, EXPORT_FOLDER_MODE) < 0 && errno != EEXIST
                     ? sw__file_fail(err, "make the folder", path, errno)
                     : SW_OK;
        *at = '/';
        if (rc < 0)
            return rc;
    }
    return SW_OK;
}

static int export_put(void *context, const char *path, int level, int64_t first, sw_str content,
                      sw_error *err)
{
    export_walk *walk = context;
    struct stat about;
    (void)level;
    (void)first;
    int rc = export_path(&walk->path, walk->folder, path, err);
    char *full = (char *)walk->path.ptr;
    if (rc < 0)
        return rc;
    if (stat(full, &about) == 0 && about.st_size == (off_t)content.len && !strstr(path, ".p/"))
        return SW_OK;
    rc = export_make_folders(full, strlen(walk->folder), err);
    return rc == SW_OK ? sw__file_write(full, EXPORT_MODE, content, err) : rc;
}

static int export_visit(void *context, int64_t index, sw_str entry, sw_error *err)
{
    export_walk *walk = context;
    return index == walk->size ? 1 : sw__tiles_add(&walk->tiles, entry, err);
}

static int export_check_root(export_walk *walk, sw__hasher *hasher,
                             const sw__checkpoint *checkpoint, sw_error *err)
{
    uint8_t root[32];
    if (sw__tree_root(&walk->tree, hasher, root) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (walk->tree.size != checkpoint->size || memcmp(root, checkpoint->root, sizeof(root)) != 0)
        return sw__fail(err, SW_EAUDIT, "the log is not the one that the checkpoint is of");
    return SW_OK;
}

int sw__export_write(sw__store *store, sw__hasher *hasher, const sw_env *env, const char *folder,
                     sw_str checkpoint, sw_error *err)
{
    sw__checkpoint about;
    export_walk walk = {.folder = folder};
    sw__leaves leaves = {
        .tree = &walk.tree, .hasher = hasher, .visit = export_visit, .context = &walk};
    if (!sw__checkpoint_peek(checkpoint, &about))
        return sw__fail(err, SW_EINVAL, "the text is no checkpoint");
    walk.size = about.size;
    sw__buf_init(&walk.path, env);
    sw__tiles_init(&walk.tiles, env, hasher, export_put, &walk);
    int rc = sw__leaves_walk(&leaves, store, err);
    if (rc == SW_OK)
        rc = export_check_root(&walk, hasher, &about, err);
    if (rc == SW_OK)
        rc = sw__tiles_end(&walk.tiles, err);
    if (rc == SW_OK)
        rc = export_path(&walk.path, folder, "checkpoint", err);
    if (rc == SW_OK)
        rc = export_make_folders((char *)walk.path.ptr, strlen(folder), err);
    if (rc == SW_OK)
        rc = sw__file_replace(env, (const char *)walk.path.ptr, EXPORT_MODE, checkpoint, err);
    sw__tiles_free(&walk.tiles);
    sw__buf_free(&walk.path);
    return rc;
}

/* Verifying. */

typedef struct export_check {
    const sw_env *env;
    const char *folder;
    int64_t size; /* of the folder's checkpoint */
    int64_t time_us;
    sw__buf path;
    sw__buf file;
    sw__tiles tiles;
    sw__trust trust;
    sw__doubt doubt;
} export_check;

/* What reading a file has come to: one that is not there raises a doubt. */
static int export_lacks(export_check *check, const char *name, int64_t entry_no, int rc)
{
    if (rc != SW_ENOTFOUND && rc != SW_ELIMIT)
        return rc;
    return sw__doubt_raise(&check->doubt, entry_no, check->size, "the file \"%s\" is %s", name,
                           rc == SW_ENOTFOUND ? "missing" : "longer than it can be");
}

static int export_read(export_check *check, const char *name, int64_t entry_no, sw_error *err)
{
    sw__buf_clear(&check->file);
    int rc = export_path(&check->path, check->folder, name, err);
    if (rc == SW_OK)
        rc = sw__file_read((const char *)check->path.ptr, EXPORT_FILE_MAX, &check->file, err);
    return export_lacks(check, name, entry_no, rc);
}

/* The tile that the entries give, against the file. */
static int export_compare(void *context, const char *path, int level, int64_t first, sw_str content,
                          sw_error *err)
{
    export_check *check = context;
    size_t at = 0;
    int64_t entry_no = (first << 8 * level) + 1;
    int rc = export_read(check, path, entry_no, err);
    if (rc < 0)
        return rc;
    if (sw__str_equal(content, sw__buf_str(&check->file)))
        return SW_OK;
    while (at < content.len && at < check->file.len && (char)check->file.ptr[at] == content.ptr[at])
        at++;
    int64_t bad = first + (int64_t)(at / 32);
    return sw__doubt_raise(&check->doubt, (bad << 8 * level) + 1, (bad + 1) << 8 * level,
                           "the file \"%s\" and the entries do not agree: one of them was edited",
                           path);
}

static int export_entry(export_check *check, const sw__bundle *bundle, int at)
{
    int64_t entry_no = check->tiles.size + 1;
    if (bundle->why && at + 1 == bundle->count)
        return sw__doubt_raise(&check->doubt, entry_no, entry_no, "entry %lld cannot be read: %s",
                               (long long)entry_no, bundle->why);
    if (bundle->numbers[at] != entry_no || bundle->times_us[at] < check->time_us)
        return sw__doubt_raise(&check->doubt, entry_no, entry_no,
                               "entry %lld stands where entry %lld belongs, or is older than the "
                               "one before it",
                               (long long)bundle->numbers[at], (long long)entry_no);
    check->time_us = bundle->times_us[at];
    return SW_OK;
}

/* The tree of the tiles so far, against the checkpoints of that size. It is put together only where
 * somebody asks: each entry is hashed once. */
static int export_tree(export_check *check, sw_error *err)
{
    sw__tree tree;
    if (sw__tiles_tree(&check->tiles, &tree) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return sw__trust_tree(&check->trust, &tree, err);
}

/* The entries of a bundle, in order. */
static int export_bundle(export_check *check, const sw__bundle *bundle, sw_error *err)
{
    for (int i = 0; i < bundle->count; i++) {
        const uint8_t *root = i + 1 == SW__TILE_WIDTH ? bundle->root : NULL;
        int rc =
            sw__trust_wants(&check->trust, check->tiles.size) ? export_tree(check, err) : SW_OK;
        if (rc == SW_OK)
            rc = export_entry(check, bundle, i);
        if (rc == SW_OK)
            rc = sw__tiles_take(&check->tiles, bundle->leaves[i], root, err);
        if (rc < 0)
            return rc;
    }
    if (bundle->whole)
        return SW_OK;
    return sw__doubt_raise(&check->doubt, check->tiles.size + 1, check->size,
                           "the file \"%s\" does not hold %d entries", bundle->name, bundle->width);
}

static int export_bundles(export_check *check, sw__ahead *ahead, sw_error *err)
{
    const sw__bundle *bundle;
    int rc = SW_OK;
    while (rc == SW_OK && (bundle = sw__ahead_next(ahead)) != NULL) {
        if (bundle->rc < 0 && err)
            *err = bundle->error;
        rc = export_lacks(check, bundle->name, check->tiles.size + 1, bundle->rc);
        if (rc == SW_OK)
            rc = export_bundle(check, bundle, err);
    }
    return rc;
}

static int export_entries(export_check *check, sw__hasher *hasher, int32_t jobs, sw_error *err)
{
    sw__ahead *ahead = NULL;
    int rc = sw__ahead_open(&ahead, check->env, hasher, check->folder, check->size, jobs, err);
    if (rc == SW_OK)
        rc = export_bundles(check, ahead, err);
    sw__ahead_close(ahead);
    if (rc == SW_OK)
        rc = export_tree(check, err);
    if (rc == SW_OK)
        rc = sw__tiles_end(&check->tiles, err);
    return rc == SW_OK ? sw__trust_end(&check->trust, err) : rc;
}

/* What is trusted, and behind it the folder's own checkpoint. */
static int export_trust(export_check *check, const sw_audit_trust *given, sw__hasher *hasher,
                        sw__arena *arena, sw_error *err)
{
    sw_audit_trust all = *given;
    sw__checkpoint own;
    sw_str *notes = sw__arena_array(arena, given->checkpoint_count + 1, sizeof(*notes));
    int rc = export_path(&check->path, check->folder, "checkpoint", err);
    if (rc == SW_OK)
        rc = sw__file_read((const char *)check->path.ptr, SW__NOTE_MAX, &check->file, err);
    if (rc < 0)
        return rc;
    sw_str note = sw__arena_str(arena, sw__buf_str(&check->file));
    if (!notes || sw__arena_failed(arena))
        return sw__fail(err, SW_ENOMEM, NULL);
    if (given->checkpoint_count > 0)
        memcpy(notes, given->checkpoints, given->checkpoint_count * sizeof(*notes));
    notes[all.checkpoint_count++] = note;
    all.checkpoints = notes;
    rc = sw__trust_load(&check->trust, &all, hasher, arena, &check->doubt, err);
    if (rc == SW_OK && sw__checkpoint_peek(note, &own))
        check->size = own.size;
    return rc;
}

static int export_report(export_check *check, sw__hasher *hasher, sw_audit_report *report,
                         sw_error *err)
{
    uint8_t root[32];
    report->entry_count = check->tiles.size;
    report->signed_count = check->trust.proved;
    report->ok = !check->doubt.raised;
    if (!report->ok) {
        report->first_bad_entry = check->doubt.first;
        report->last_bad_entry = check->doubt.last;
        snprintf(report->message, sizeof(report->message), "%s", check->doubt.message);
        return sw__fail(err, SW_EAUDIT, "%s", report->message);
    }
    if (sw__tree_root(&check->trust.tree, hasher, root) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__hash_hex(root, report->root);
    report->anchored_count = check->trust.anchored;
    report->anchored_us = check->trust.anchored_us;
    report->level = check->trust.anchor_count > 0 ? SW_AUDIT_ANCHORED : SW_AUDIT_SIGNED;
    snprintf(report->message, sizeof(report->message),
             "%ssigned (L2): the %lld entries of the folder are those of %zu checkpoint%s, and its "
             "tiles are theirs",
             check->trust.anchor_count > 0 ? "anchored (L3) and " : "",
             (long long)report->entry_count, check->trust.count,
             check->trust.count == 1 ? "" : "s");
    return SW_OK;
}

int sw__export_verify(const sw_env *env, sw__hasher *hasher, const char *folder,
                      const sw_audit_trust *trust, int32_t jobs, sw_audit_report *report,
                      sw_error *err)
{
    export_check check = {.env = env, .folder = folder};
    *report = (sw_audit_report){.size = report->size};
    sw__arena *arena = sw__arena_new(env);
    sw__buf_init(&check.path, env);
    sw__buf_init(&check.file, env);
    sw__tiles_init(&check.tiles, env, hasher, export_compare, &check);
    int rc =
        arena ? export_trust(&check, trust, hasher, arena, err) : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = export_entries(&check, hasher, jobs, err);
    if (rc == SW_OK || check.doubt.raised)
        rc = export_report(&check, hasher, report, err);
    sw__tiles_free(&check.tiles);
    sw__buf_free(&check.file);
    sw__buf_free(&check.path);
    sw__arena_free(arena);
    return rc;
}

#undef EXPORT_MODE
#undef EXPORT_FOLDER_MODE
#undef EXPORT_FILE_MAX
