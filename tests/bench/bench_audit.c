/* What sealing, verifying and proving cost beside SHA-256 over the bytes of the same log in one
 * piece, by libcrypto on one core: 2,000 tasks of ten steps in memory. One line per measurement:
 * name, microseconds, microseconds of the floor, ratio.
 */
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "engine/engine.h"

#define AUDIT_TASKS 2000
#define AUDIT_BATCH 1000

typedef struct audit_bench {
    sw_engine *engine;
    sw__buf bytes; /* of all segments */
    int64_t entry_count;
    sw_result *key;
    sw_result *sealed;
    char folder[64];
    char path[96];
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

static double floor_time(const audit_bench *bench)
{
    unsigned char digest[32];
    double started = bench_seconds();
    if (EVP_Digest(bench->bytes.ptr, bench->bytes.len, digest, NULL, EVP_sha256(), NULL) != 1)
        exit(1);
    return bench_seconds() - started;
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

static double verify_time(audit_bench *bench)
{
    sw_error err;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    double started = bench_seconds();
    bench_check(sw_audit_verify(bench->engine, &report, &err), "verify", &err);
    return bench_seconds() - started;
}

static double verify_signed_time(audit_bench *bench)
{
    sw_error err;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    trust.checkpoints = &sw_audit_checkpoints(bench->sealed, NULL)->note;
    trust.checkpoint_count = 1;
    trust.keys = &sw_audit_keys(bench->key, NULL)->verifier;
    trust.key_count = 1;
    double started = bench_seconds();
    bench_check(sw_audit_verify_signed(bench->engine, &trust, &report, &err), "verify", &err);
    return bench_seconds() - started;
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

static void audit_compare(audit_bench *bench, const char *name, double (*time)(audit_bench *bench),
                          bool json)
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
        printf("audit/%-22s %9.1f %9.1f %9.1f %8s %9.1f %6.2f  us; floor is SHA-256 of the log\n",
               name, row[0], row[1], row[2], "", row[3], row[4]);
}

static void audit_open(audit_bench *bench)
{
    sw_error err;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    *bench = (audit_bench){.folder = "/tmp/stepwell-bench-XXXXXX"};
    if (!mkdtemp(bench->folder))
        exit(1);
    snprintf(bench->path, sizeof(bench->path), "%s/key", bench->folder);
    options.store = bench_str("memory:");
    bench_check(sw_engine_open(&options, &bench->engine, &err), "open", &err);
    audit_fill(bench->engine);
    sw__store *store = bench->engine->store;
    sw__buf_init(&bench->bytes, sw_env_system());
    bench_check(store->ops->begin(store, false, &err), "begin", &err);
    bench_check(store->ops->segments_each(store, 1, audit_collect, bench, &err), "read", &err);
    store->ops->rollback(store);
}

static void audit_close(audit_bench *bench)
{
    char state[128];
    snprintf(state, sizeof(state), "%s.state", bench->path);
    unlink(state);
    unlink(bench->path);
    rmdir(bench->folder);
    sw_result_free(bench->sealed);
    sw_result_free(bench->key);
    sw__buf_free(&bench->bytes);
    sw_engine_close(bench->engine);
}

int main(int count, char **arguments)
{
    audit_bench bench;
    bool json = false;
    for (int i = 1; i < count; i++) {
        json = json || strcmp(arguments[i], "--json") == 0;
        if (strcmp(arguments[i], "--quick") == 0)
            rounds = 3;
    }
    audit_open(&bench);
    if (!json)
        printf("%lld entries, %zu bytes\n", (long long)bench.entry_count, bench.bytes.len);
    audit_compare(&bench, "seal", seal_time, json);
    audit_compare(&bench, "verify", verify_time, json);
    audit_compare(&bench, "verify_signed", verify_signed_time, json);
    audit_compare(&bench, "prove", prove_time, json);
    audit_close(&bench);
    return 0;
}
