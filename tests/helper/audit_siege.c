/* A log under siege; see audit_siege.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/audit_siege.h"

#include <string.h>

#include "audit/leaves.h"
#include "base/ed25519.h"
#include "base/str.h"

#define SIEGE_RUNS 3
#define SIEGE_TASKS 10
#define SIEGE_ENTRIES 200
#define SIEGE_SAMPLE 64

void siege_sign(audit_siege *siege, audit_log *log, sw__buf *out)
{
    sw__tree tree = {0};
    uint8_t root[32];
    sw__leaves leaves = {.tree = &tree, .hasher = log->hasher};
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    assert_int_equal(sw__leaves_walk(&leaves, log->store, NULL), SW_OK);
    log->store->ops->rollback(log->store);
    assert_int_equal(sw__tree_root(&tree, log->hasher, root), SW_OK);
    assert_int_equal(sw__checkpoint_sign(out, &siege->signer, tree.size, root), SW_OK);
}

void siege_rotate(audit_siege *siege, audit_log *log, sw__buf *out)
{
    sw__buf text, key;
    uint8_t root[32];
    uint8_t signature[64];
    sw__checkpoint checkpoint;
    sw__note_signer next;
    const sw_str name = SW__LIT(SIEGE_NAME);
    const uint8_t secret[32] = {(uint8_t)(siege->signer.secret[0] + 1)};
    sw__buf_init(&text, sw_env_system());
    sw__buf_init(&key, sw_env_system());
    siege_sign(siege, log, &text);
    assert_true(sw__checkpoint_peek(sw__buf_str(&text), &checkpoint));
    memcpy(root, checkpoint.root, sizeof(root));
    assert_int_equal(sw__note_signer_make(log->hasher, name, secret, &next), SW_OK);
    sw__note_put_key(&key, &next.key);
    sw__checkpoint_put(out, name, checkpoint.size, root, sw__buf_str(&key));
    assert_int_equal(sw__ed25519_sign(next.secret, sw__buf_str(out), signature), SW_OK);
    assert_int_equal(sw__note_sign(out, &siege->signer), SW_OK);
    sw__note_put_signature(out, &next.key, signature);
    siege->signer = next;
    sw__buf_free(&key);
    sw__buf_free(&text);
}

static bool siege_verify(audit_siege *siege, audit_log *log, const sw_str *notes, size_t count,
                         const sw_audit_anchor *anchor)
{
    sw_str vkey = sw__buf_str(&siege->key);
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    trust.checkpoints = notes;
    trust.checkpoint_count = count;
    trust.anchors = anchor;
    trust.anchor_count = anchor != NULL;
    trust.keys = &vkey;
    trust.key_count = 1;
    const sw_audit_trust *given = count > 0 ? &trust : NULL;
    int rc = siege->asked++ % 4 == 0 ? audit_log_verify_alike(log, given, &report)
                                     : audit_log_verify_by(log, given, 1, &report, NULL);
    assert_true(rc == SW_OK || rc == SW_EAUDIT);
    assert_true(rc != SW_OK || !anchor || report.level == SW_AUDIT_ANCHORED);
    return rc == SW_EAUDIT;
}

bool siege_finds(audit_siege *siege, audit_log *log, sw_str checkpoint)
{
    return siege_finds_any(siege, log, &checkpoint, checkpoint.len > 0);
}

bool siege_finds_any(audit_siege *siege, audit_log *log, const sw_str *notes, size_t count)
{
    return siege_verify(siege, log, notes, count, NULL);
}

bool siege_finds_anchored(audit_siege *siege, audit_log *log, sw_str checkpoint, sw_str anchor)
{
    const sw_audit_anchor row = {
        .place = SW__LIT("file:far"), .note = anchor, .time_us = log->now_us};
    return siege_verify(siege, log, &checkpoint, 1, &row);
}

void siege_count(audit_siege *siege, siege_tally *sum, audit_log *log)
{
    bool first = siege_finds(siege, log, (sw_str){NULL, 0});
    bool asks = !first || sum->tried % SIEGE_SAMPLE == 0;
    sum->tried++;
    sum->found[0] += first;
    sum->found[1] += asks ? siege_finds(siege, log, sw__buf_str(&siege->note)) : true;
    sum->found[2] = sum->found[1];
}

void siege_restore(audit_siege *siege)
{
    memcpy(siege->log.segments, siege->honest, siege->honest_count * sizeof(*siege->honest));
    siege->log.segment_count = siege->honest_count;
}

void siege_open(audit_siege *siege)
{
    static const uint8_t secret[32] = {7};
    audit_log *log = &siege->log;
    audit_log_open(log, AUDIT_LOG_DIAMOND);
    for (int i = 0; i < SIEGE_RUNS; i++)
        audit_log_run(log);
    audit_log_play(log, SIEGE_TASKS);
    const sw_str name = SW__LIT(SIEGE_NAME);
    assert_int_equal(sw__note_signer_make(log->hasher, name, secret, &siege->signer), SW_OK);
    sw__buf_init(&siege->key, sw_env_system());
    sw__buf_init(&siege->note, sw_env_system());
    sw__note_put_key(&siege->key, &siege->signer.key);
    siege_sign(siege, log, &siege->note);
    audit_log_attack(log);
    siege->honest_count = log->segment_count;
    const sw__segment *last = &log->segments[siege->honest_count - 1];
    assert_true(last->entry_first + last->entry_count > SIEGE_ENTRIES);
    siege->honest = sw__arena_array(log->arena, siege->honest_count, sizeof(*siege->honest));
    assert_non_null(siege->honest);
    memcpy(siege->honest, log->segments, siege->honest_count * sizeof(*siege->honest));
    assert_false(siege_finds(siege, log, (sw_str){NULL, 0}));
    assert_false(siege_finds(siege, log, sw__buf_str(&siege->note)));
}

void siege_close(audit_siege *siege)
{
    sw__buf_free(&siege->note);
    sw__buf_free(&siege->key);
    audit_log_close(&siege->log);
}

#undef SIEGE_RUNS
#undef SIEGE_TASKS
#undef SIEGE_ENTRIES
#undef SIEGE_SAMPLE
