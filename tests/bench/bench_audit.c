/* What the audit log costs: 2,000 tasks of ten steps. One line per measurement: name, microseconds,
 * microseconds of the floor, ratio.
 *
 * seal, verify and prove stand beside SHA-256 by libcrypto, on one core, of all messages that they
 * hash: the segments for the chain; the results of steps, where a database is verified; besides,
 * for whatever has to do with a tree, each entry as a leaf and each node. They are hashed by the
 * interface that an application uses, a context that is used again. verify is of a database in
 * memory, verify_file of one on disk; what is verified by_two threads stands beside one of them. A
 * report of all controls stands beside the verification that it begins with. log_on stands beside
 * the same work without a log, both strictly durable. One proof from an export of ten million
 * entries (--quick: 200,000) stands beside a millisecond. --processor-time is for a machine that
 * does something else too; then what stands beside one thread says what two cost.
 */
#include <ftw.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "audit/tiles.h"
#include "base/file.h"
#include "bench.h"
#include "engine/engine.h"

#define AUDIT_TASKS 2000
#define AUDIT_RESULTS (AUDIT_TASKS * 10)
#define AUDIT_RESULT_SIZE 54 /* bytes, with its salt */
#define AUDIT_BATCH 1000

typedef struct audit_bench {
    sw_engine *engine;
    sw__buf bytes; /* of all segments */
    int64_t entry_count;
    sw_result *key;
    sw_result *sealed;
    char folder[64];
    char store[96];
    char path[96];
    char export[96];
    char large[96]; /* another export, and an entry of it */
    int64_t large_entry;
} audit_bench;

static int rounds = 5;

static void audit_fill(sw_engine *engine)
{
    sw_error err;
    sw_step_outcome *outcomes = calloc(AUDIT_BATCH, sizeof(*outcomes));
    sw_task_submit_row *rows = calloc(AUDIT_TASKS, sizeof(*rows));
    sw_result *result = NULL;
    size_t count = 0;
    if (!outcomes || !rows)
        exit(1);
    bench_register(engine, "{\"stepwell\":1,\"name\":\"ten\",\"steps\":["
                           "{\"name\":\"a\",\"handler\":\"bench.step\"},"
                           "{\"name\":\"b\",\"handler\":\"bench.step\",\"after\":[\"a\"]},"
                           "{\"name\":\"c\",\"handler\":\"bench.step\",\"after\":[\"a\"]},"
                           "{\"name\":\"d\",\"handler\":\"bench.step\",\"after\":[\"b\"]},"
                           "{\"name\":\"e\",\"handler\":\"bench.step\",\"after\":[\"c\",\"d\"]},"
                           "{\"name\":\"f\",\"handler\":\"bench.step\"},"
                           "{\"name\":\"g\",\"handler\":\"bench.step\",\"after\":[\"f\"]},"
                           "{\"name\":\"h\",\"handler\":\"bench.step\",\"after\":[\"f\"]},"
                           "{\"name\":\"i\",\"handler\":\"bench.step\",\"after\":[\"g\"]},"
                           "{\"name\":\"j\",\"handler\":\"bench.step\",\"after\":[\"i\"]}]}");
    sw_worker_ref worker = bench_worker(engine, "bench.step");
    for (int i = 0; i < AUDIT_TASKS; i++)
        rows[i].workflow = bench_str("ten");
    bench_check(sw_task_submit(engine, rows, AUDIT_TASKS, &result, &err), "submit", &err);
    sw_result_free(result);
    do {
        bench_check(
            sw_step_exchange(engine, &worker, outcomes, count, AUDIT_BATCH, 0, &result, &err),
            "exchange", &err);
        count = bench_outcomes(result, outcomes);
        sw_result_free(result);
    } while (count > 0);
    free(rows);
    free(outcomes);
}

static int audit_collect(void *context, const sw__segment *segment, sw_error *err)
{
    audit_bench *bench = context;
    (void)err;
    sw__buf_put_str(&bench->bytes, segment->body);
    bench->entry_count += segment->entry_count;
    return SW_OK;
}

/* The bytes of all segments in one piece. */
static double chain_floor(audit_bench *bench)
{
    unsigned char digest[32];
    double started = bench_seconds();
    if (EVP_Digest(bench->bytes.ptr, bench->bytes.len, digest, NULL, EVP_sha256(), NULL) != 1)
        exit(1);
    return bench_seconds() - started;
}

static void floor_message(EVP_MD_CTX *state, const void *bytes, size_t size)
{
    unsigned char digest[32];
    if (EVP_DigestInit_ex2(state, NULL, NULL) != 1 || EVP_DigestUpdate(state, bytes, size) != 1 ||
        EVP_DigestFinal_ex(state, digest, NULL) != 1)
        exit(1);
}

/* As many messages as the tree has leaves and nodes, and as long. */
static double tree_floor(audit_bench *bench)
{
    EVP_MD_CTX *state = EVP_MD_CTX_new();
    size_t length = bench->bytes.len / (size_t)bench->entry_count;
    if (!state || EVP_DigestInit_ex2(state, EVP_sha256(), NULL) != 1)
        exit(1);
    double started = bench_seconds();
    for (int64_t i = 0; i < bench->entry_count; i++) {
        floor_message(state, bench->bytes.ptr + (size_t)i * length, length);
        floor_message(state, bench->bytes.ptr, 65);
    }
    double took = bench_seconds() - started;
    EVP_MD_CTX_free(state);
    return took;
}

static double both_floor(audit_bench *bench)
{
    return chain_floor(bench) + tree_floor(bench);
}

/* The chain, and as many results as a database of the log has. */
static double database_floor(audit_bench *bench)
{
    EVP_MD_CTX *state = EVP_MD_CTX_new();
    if (!state || EVP_DigestInit_ex2(state, EVP_sha256(), NULL) != 1)
        exit(1);
    double started = bench_seconds();
    for (size_t i = 0; i < AUDIT_RESULTS; i++)
        floor_message(state, bench->bytes.ptr + i * AUDIT_RESULT_SIZE, AUDIT_RESULT_SIZE);
    double took = bench_seconds() - started;
    EVP_MD_CTX_free(state);
    return took + chain_floor(bench);
}

static double signed_floor(audit_bench *bench)
{
    return database_floor(bench) + tree_floor(bench);
}

/* With the state of a new key, so that the whole log is read. */
static double seal_time(audit_bench *bench)
{
    sw_error err;
    char state[128];
    snprintf(state, sizeof(state), "%s.state", bench->path);
    unlink(bench->path);
    unlink(state);
    sw_result_free(bench->key);
    sw_result_free(bench->sealed);
    bench_check(sw_audit_keygen(bench_str("bench"), bench_str(bench->path), &bench->key, &err),
                "keygen", &err);
    double started = bench_seconds();
    bench_check(sw_audit_seal(bench->engine, bench_str(bench->path), &bench->sealed, &err), "seal",
                &err);
    return bench_seconds() - started;
}

static double verify_by(audit_bench *bench, const sw_audit_trust *trust, int32_t jobs)
{
    sw_error err;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    double started = bench_seconds();
    bench_check(sw_audit_verify_by(bench->engine, trust, jobs, &report, &err), "verify", &err);
    return bench_seconds() - started;
}

static double verify_time(audit_bench *bench)
{
    return verify_by(bench, NULL, 1);
}

static double verify_two_time(audit_bench *bench)
{
    return verify_by(bench, NULL, 2);
}

static double verify_signed_by(audit_bench *bench, int32_t jobs)
{
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    trust.checkpoints = &sw_audit_checkpoints(bench->sealed, NULL)->note;
    trust.checkpoint_count = 1;
    trust.keys = &sw_audit_keys(bench->key, NULL)->verifier;
    trust.key_count = 1;
    return verify_by(bench, &trust, jobs);
}

static double verify_signed_time(audit_bench *bench)
{
    return verify_signed_by(bench, 1);
}

static double verify_signed_two_time(audit_bench *bench)
{
    return verify_signed_by(bench, 2);
}

static double prove_time(audit_bench *bench)
{
    sw_error err;
    sw_result *result = NULL;
    int64_t entry_no = bench->entry_count / 2;
    double started = bench_seconds();
    bench_check(sw_audit_prove(bench->engine, sw_audit_checkpoints(bench->sealed, NULL)->note,
                               &entry_no, 1, &result, &err),
                "prove", &err);
    double took = bench_seconds() - started;
    sw_result_free(result);
    return took;
}

/* An export of the log, verified from its files by so many threads. */
static double export_time(audit_bench *bench, int32_t jobs)
{
    sw_error err;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    sw_str folder = bench_str(bench->export);
    trust.keys = &sw_audit_keys(bench->key, NULL)->verifier;
    trust.key_count = 1;
    bench_check(sw_audit_export(bench->engine, folder,
                                sw_audit_checkpoints(bench->sealed, NULL)->note, &err),
                "export", &err);
    double started = bench_seconds();
    bench_check(sw_audit_verify_export(folder, &trust, jobs, &report, &err), "verify", &err);
    return bench_seconds() - started;
}

static double export_one_time(audit_bench *bench)
{
    return export_time(bench, 1);
}

static double export_two_time(audit_bench *bench)
{
    return export_time(bench, 2);
}

/* All controls, as a page. */
static double report_time(audit_bench *bench)
{
    sw_error err;
    sw_result *result = NULL;
    sw_control_options options = SW_CONTROL_OPTIONS_INIT;
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    options.format = SW_CONTROL_HTML;
    trust.checkpoints = &sw_audit_checkpoints(bench->sealed, NULL)->note;
    trust.checkpoint_count = 1;
    trust.keys = &sw_audit_keys(bench->key, NULL)->verifier;
    trust.key_count = 1;
    double started = bench_seconds();
    bench_check(sw_control_report(bench->engine, &trust, &options, &result, &err), "report", &err);
    double took = bench_seconds() - started;
    sw_result_free(result);
    return took;
}

/* The tiles of a log of so many entries, but only the files that proofs of one entry need. */

typedef struct large_export {
    const char *folder;
    int64_t entry_no;
    sw__tree tree;
} large_export;

static int large_put(void *context, const char *path, int level, int64_t first, sw_str content,
                     sw_error *err)
{
    char full[256];
    const large_export *large = context;
    if (level < 1 && (large->entry_no - 1) / SW__TILE_WIDTH != first / SW__TILE_WIDTH &&
        content.len == SW__TILE_WIDTH * 32)
        return SW_OK;
    if (level < 0 && (large->entry_no - 1) / SW__TILE_WIDTH != first / SW__TILE_WIDTH)
        return SW_OK;
    snprintf(full, sizeof(full), "%s/%s", large->folder, path);
    for (char *at = full + strlen(large->folder) + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        mkdir(full, 0700);
        *at = '/';
    }
    return sw__file_write(full, 0600, content, err);
}

static void large_make(audit_bench *bench, large_export *large, int64_t size)
{
    char path[160];
    uint8_t root[32];
    sw_error err;
    sw__buf entry, note;
    sw__tiles tiles;
    sw__note_signer signer;
    const uint8_t secret[32] = {1};
    sw__hasher *hasher = sw__hasher_new(sw_env_system());
    sw__buf_init(&entry, sw_env_system());
    sw__buf_init(&note, sw_env_system());
    sw__tiles_init(&tiles, sw_env_system(), hasher, large_put, large);
    for (int64_t i = 0; i < size; i++) {
        const sw_audit_entry row = {.kind = SW_AUDIT_STEP_CHANGED,
                                    .entry_no = i + 1,
                                    .step = bench_str("charge"),
                                    .actor = bench_str("worker@host")};
        sw__buf_clear(&entry);
        bench_check(sw__entry_encode(&entry, &row, &err), "encode", &err);
        bench_check(sw__tiles_add(&tiles, sw__buf_str(&entry), &err), "tile", &err);
    }
    if (sw__tiles_tree(&tiles, &large->tree) < 0 || sw__tree_root(&large->tree, hasher, root) < 0 ||
        sw__note_signer_make(hasher, bench_str("bench"), secret, &signer) < 0 ||
        sw__checkpoint_sign(&note, &signer, size, root) < 0)
        exit(1);
    bench_check(sw__tiles_end(&tiles, &err), "tile", &err);
    snprintf(path, sizeof(path), "%s/checkpoint", bench->large);
    bench_check(sw__file_write(path, 0600, sw__buf_str(&note), &err), "write", &err);
    sw__tiles_free(&tiles);
    sw__buf_free(&note);
    sw__buf_free(&entry);
    sw__hasher_free(hasher);
}

static double prove_export_time(audit_bench *bench)
{
    sw_error err;
    sw_result *result = NULL;
    const sw_str own = {NULL, 0};
    double started = bench_seconds();
    bench_check(
        sw_audit_prove_export(bench_str(bench->large), own, &bench->large_entry, 1, &result, &err),
        "prove", &err);
    double took = bench_seconds() - started;
    sw_result_free(result);
    return took;
}

static double millisecond(audit_bench *bench)
{
    (void)bench;
    return 1e-3;
}

/* The same work on disk, with the log and without. */
static double work_time(bool log)
{
    sw_error err;
    char path[96];
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_engine *engine = NULL;
    snprintf(path, sizeof(path), "/tmp/stepwell-bench-log-%d.db", (int)getpid());
    options.store = bench_str(path);
    bench_check(sw_engine_open(&options, &engine, &err), "open", &err);
    engine->audit.off = !log;
    double started = bench_seconds();
    audit_fill(engine);
    double took = bench_seconds() - started;
    sw_engine_close(engine);
    bench_remove(path);
    return took;
}

static double log_on_time(audit_bench *bench)
{
    (void)bench;
    return work_time(true);
}

static double log_off_time(audit_bench *bench)
{
    (void)bench;
    return work_time(false);
}

static void audit_compare(audit_bench *bench, const char *name, double (*time)(audit_bench *bench),
                          double (*floor_time)(audit_bench *bench), bool json)
{
    double took[BENCH_ROUNDS_MAX], floor[BENCH_ROUNDS_MAX], ratio[BENCH_ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        floor[i] = floor_time(bench) * 1e6;
        took[i] = time(bench) * 1e6;
        ratio[i] = took[i] / floor[i];
    }
    double row[] = {bench_median(took, rounds), bench_least(took, rounds), bench_most(took, rounds),
                    bench_median(floor, rounds), bench_median(ratio, rounds)};
    if (json)
        printf("{\"name\":\"audit/%s\",\"unit\":\"us\",\"median\":%.1f,\"min\":%.1f,"
               "\"max\":%.1f,\"floor\":%.1f,\"ratio\":%.3f}\n",
               name, row[0], row[1], row[2], row[3], row[4]);
    else
        printf("audit/%-26s %9.1f %9.1f %9.1f %8s %9.1f %6.2f  us; %s\n", name, row[0], row[1],
               row[2], "", row[3], row[4],
               floor_time == log_off_time  ? "floor is the same without a log"
               : floor_time == millisecond ? "floor is a millisecond"
               : time == report_time       ? "floor is the verification in it"
               : floor_time == verify_time || floor_time == verify_signed_time
                   ? "floor is the same by one thread"
                   : "floor is SHA-256 of the same messages");
}

/* store: a path, absent for one of the bench's own on disk. */
static void audit_open(audit_bench *bench, const char *store)
{
    sw_error err;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    *bench = (audit_bench){.folder = "/tmp/stepwell-bench-XXXXXX"};
    if (!mkdtemp(bench->folder))
        exit(1);
    snprintf(bench->path, sizeof(bench->path), "%s/key", bench->folder);
    snprintf(bench->export, sizeof(bench->export), "%s/export", bench->folder);
    snprintf(bench->large, sizeof(bench->large), "%s/large", bench->folder);
    if (mkdir(bench->large, 0700) < 0)
        exit(1);
    snprintf(bench->store, sizeof(bench->store), "%s/log.db", bench->folder);
    options.store = bench_str(store ? store : bench->store);
    bench_check(sw_engine_open(&options, &bench->engine, &err), "open", &err);
    audit_fill(bench->engine);
    sw__store *opened = bench->engine->store;
    sw__buf_init(&bench->bytes, sw_env_system());
    bench_check(opened->ops->begin(opened, false, &err), "begin", &err);
    bench_check(opened->ops->segments_each(opened, 1, audit_collect, bench, &err), "read", &err);
    opened->ops->rollback(opened);
}

static int audit_unlink(const char *path, const struct stat *about, int flag, struct FTW *walk)
{
    (void)about;
    (void)flag;
    (void)walk;
    return remove(path);
}

static void audit_close(audit_bench *bench)
{
    nftw(bench->folder, audit_unlink, 8, FTW_DEPTH | FTW_PHYS);
    sw_result_free(bench->sealed);
    sw_result_free(bench->key);
    sw__buf_free(&bench->bytes);
    sw_engine_close(bench->engine);
}

/* The same database on disk. */
static void bench_file(bool json)
{
    audit_bench bench;
    audit_open(&bench, NULL);
    seal_time(&bench);
    audit_compare(&bench, "verify_file", verify_time, database_floor, json);
    audit_compare(&bench, "verify_file_signed", verify_signed_time, signed_floor, json);
    audit_compare(&bench, "verify_file_signed_by_two", verify_signed_two_time, verify_signed_time,
                  json);
    audit_close(&bench);
}

int main(int count, char **arguments)
{
    audit_bench bench;
    bool json = false;
    int64_t large = 10000000;
    for (int i = 1; i < count; i++) {
        json = json || strcmp(arguments[i], "--json") == 0;
        if (strcmp(arguments[i], "--processor-time") == 0)
            bench_by_processor();
        if (strcmp(arguments[i], "--quick") == 0) {
            rounds = 3;
            large = 200000;
        }
    }
    audit_open(&bench, "memory:");
    if (!json)
        printf("%lld entries, %zu bytes\n", (long long)bench.entry_count, bench.bytes.len);
    audit_compare(&bench, "seal", seal_time, both_floor, json);
    audit_compare(&bench, "verify", verify_time, database_floor, json);
    audit_compare(&bench, "verify_signed", verify_signed_time, signed_floor, json);
    audit_compare(&bench, "verify_by_two", verify_two_time, verify_time, json);
    audit_compare(&bench, "verify_signed_by_two", verify_signed_two_time, verify_signed_time, json);
    bench_file(json);
    audit_compare(&bench, "verify_export", export_one_time, tree_floor, json);
    audit_compare(&bench, "verify_export_by_two", export_two_time, tree_floor, json);
    audit_compare(&bench, "prove", prove_time, both_floor, json);
    audit_compare(&bench, "report", report_time, verify_signed_time, json);
    large_export whole = {.folder = bench.large, .entry_no = large / 3};
    bench.large_entry = whole.entry_no;
    large_make(&bench, &whole, large);
    audit_compare(&bench, "prove_export", prove_export_time, millisecond, json);
    audit_compare(&bench, "log_on", log_on_time, log_off_time, json);
    audit_close(&bench);
    return 0;
}
