/* What others have published: notes, checkpoints with the signatures of real logs and witnesses,
 * proofs, tiles. Everything here was made by other people's programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "audit/checkpoint.h"
#include "audit/proof.h"
#include "audit/tiles.h"
#include "base/base64.h"
#include "base/str.h"

#define DASH "\xe2\x80\x94 "

/* The example of C2SP signed-note. */
static const char foo_key[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
static const char foo_note[] = "This is an example message.\n\n" DASH
                               "example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK"
                               "7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/* A checkpoint of a log of Certificate Transparency as it was served, signed by the log in two
 * ways and by four witnesses, and the keys of some of them. */
static const char arche_note[] =
    "arche2025h1.staging.ct.transparency.dev\n1432088532\n"
    "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n" DASH
    "arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbd"
    "Q3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n" DASH
    "arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygN"
    "I75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n" DASH
    "transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIg"
    "cqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n" DASH
    "witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W"
    "3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n" DASH
    "remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTyn"
    "k5XeU/zZ0WBxtqB0DrAWfBw==\n" DASH
    "witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2"
    "TUFucgKi7lI7cUiOvKFYe/TmN9DAg==\n";
static const char *const arche_keys[] = {
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
};
#define ARCHE_KEYS 3
#define ARCHE_SECONDS INT64_C(0x6a122120) /* when all of them saw it */

static sw__hasher *hasher;

static int vectors_setup(void **state)
{
    (void)state;
    hasher = sw__hasher_new(sw_env_system());
    return 0;
}

static int vectors_teardown(void **state)
{
    (void)state;
    sw__hasher_free(hasher);
    return 0;
}

static sw__note_key key_of(const char *text)
{
    sw__note_key key;
    const char *why = NULL;
    if (!sw__note_read_key(hasher, sw__str(text), &key, &why))
        fail_msg("%s: %s", text, why);
    return key;
}

static void test_the_example_of_signed_note(void **state)
{
    sw_str text;
    sw__note_signed who;
    const char *why = NULL;
    char edited[sizeof(foo_note)];
    (void)state;
    sw__note_key key = key_of(foo_key);
    assert_int_equal(key.type, SW__NOTE_ED25519);
    assert_int_equal(sw__note_open(sw__str(foo_note), &key, 1, &text, &who, &why), SW_OK);
    assert_true(sw__str_is(text, "This is an example message.\n"));
    memcpy(edited, foo_note, sizeof(edited));
    edited[5]++;
    assert_int_equal(sw__note_open(sw__str(edited), &key, 1, &text, &who, &why), SW_EINVAL);
}

/* Notes that golang.org/x/mod/sumdb/note holds to be malformed, by a key that has signed the text
 * of the last one well. */
static void test_notes_that_others_refuse(void **state)
{
#define PETER_TEXT                                                                                 \
    "If you think cryptography is the answer to your problem,\n"                                   \
    "then you don't know what your problem is.\n"
#define PETER_DATA                                                                                 \
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    static const char *const notes[] = {
        PETER_TEXT,
        PETER_TEXT "\n",
        PETER_TEXT "\n" DASH "PeterNeumann " PETER_DATA,
        "\x01" PETER_TEXT "\n" DASH "PeterNeumann " PETER_DATA "\n",
        "\xff" PETER_TEXT "\n" DASH "PeterNeumann " PETER_DATA "\n",
        PETER_TEXT "\n" DASH "Bad Name " PETER_DATA "\n",
        PETER_TEXT "\n" DASH "Bad+Name " PETER_DATA "\n" DASH "PeterNeumann " PETER_DATA "\n",
        PETER_TEXT "\n" DASH "Bad\xe2\x80\x89Name " PETER_DATA "\n" DASH "PeterNeumann " PETER_DATA
                   "\n",
        PETER_TEXT "\n" DASH "PeterNeumann " PETER_DATA "\nUnexpected line.\n",
    };
    static const char good[] = PETER_TEXT "\n" DASH "PeterNeumann " PETER_DATA "\n";
    sw_str text;
    sw__note_signed who;
    const char *why = NULL;
    (void)state;
    sw__note_key key = key_of("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
        assert_int_equal(sw__note_open(sw__str(notes[i]), &key, 1, &text, &who, &why), SW_EINVAL);
    assert_int_equal(sw__note_open(sw__str(good), &key, 1, &text, &who, &why), SW_OK);
#undef PETER_TEXT
#undef PETER_DATA
}

static void test_a_checkpoint_with_cosignatures(void **state)
{
    sw__note_key keys[ARCHE_KEYS];
    sw__checkpoint checkpoint;
    const char *why = NULL;
    char edited[sizeof(arche_note)];
    (void)state;
    for (size_t i = 0; i < ARCHE_KEYS; i++)
        keys[i] = key_of(arche_keys[i]);
    assert_int_equal(keys[0].type, SW__NOTE_COSIGNATURE);
    sw_str note = sw__str(arche_note);
    assert_int_equal(sw__checkpoint_open(note, keys, ARCHE_KEYS, &checkpoint, &why), SW_OK);
    assert_int_equal(checkpoint.size, 1432088532);
    assert_int_equal(checkpoint.who.key_index, 1);
    assert_int_equal(checkpoint.who.witness_count, 2);
    assert_int_equal(checkpoint.who.witnessed_us, ARCHE_SECONDS * 1000000);
    assert_int_equal(sw__checkpoint_open(note, keys + 1, 1, &checkpoint, &why), SW_OK);
    assert_int_equal(checkpoint.who.witness_count, 0);
    /* Witnesses alone do not say whose log it is. */
    assert_int_equal(sw__checkpoint_open(note, keys, 1, &checkpoint, &why), SW_EINVAL);
    assert_string_equal(why, "it is signed by witnesses, but by no key of a log");
    memcpy(edited, arche_note, sizeof(edited));
    edited[strcspn(edited, "4")]--;
    assert_int_equal(sw__checkpoint_open(sw__str(edited), keys, 1, &checkpoint, &why), SW_EINVAL);
    assert_string_equal(why,
                        "its signature is not good: it was edited, or signed with another key");
}

/* The time that a cosignature names is signed. */
static void test_the_time_of_a_cosignature_counts(void **state)
{
    uint8_t bytes[128];
    size_t size = 0;
    int64_t seen_us = 0;
    sw_str text;
    static const char data[] =
        "2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIob"
        "WX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==";
    (void)state;
    sw__note_key key = key_of(arche_keys[0]);
    assert_true(sw__note_text(sw__str(arche_note), &text));
    assert_true(sw__base64_read(sw__str(data), bytes, sizeof(bytes), &size));
    assert_int_equal(sw__note_check(&key, text, bytes + 4, size - 4, &seen_us), 1);
    assert_int_equal(seen_us, ARCHE_SECONDS * 1000000);
    for (size_t bit = 0; bit < (size - 4) * 8; bit++) {
        bytes[4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(sw__note_check(&key, text, bytes + 4, size - 4, &seen_us), 0);
        bytes[4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(sw__note_check(&key, text, bytes + 4, size - 5, &seen_us), 0);
}

static void test_keys_of_other_programs(void **state)
{
    sw__note_key key;
    const char *why = NULL;
    (void)state;
    key = key_of("TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6");
    assert_int_equal(key.type, SW__NOTE_ED25519);
    assert_false(
        sw__note_read_key(hasher, sw__str("rekor.sigstore.dev+12345678+AwEB"), &key, &why));
    assert_non_null(strstr(why, "1 (Ed25519) 4 (Ed25519 cosignature)"));
    assert_false(sw__note_read_key(
        hasher, sw__str("rekor.sigstore.dev+12345678+THIS_IS_NOT_BASE64!"), &key, &why));
    assert_false(sw__note_read_key(hasher, sw__str("bananas.sigstore.dev+12344556"), &key, &why));
    /* A type that is known by name only; and the base64 of a key may begin with "+". */
    assert_false(sw__note_read_key(
        hasher, sw__str("example.com/foo+00000000+++++++++++++++++++++++++++++++++++++++++++++"),
        &key, &why));
}

/* Many signatures as large as those of ML-DSA are passed over. */
static void test_large_signatures_of_others(void **state)
{
    sw__buf note;
    sw_str text;
    sw__note_signed who;
    const char *why = NULL;
    static const uint8_t large[4 + 8 + 4627] = {1};
    (void)state;
    sw__note_key key = key_of(foo_key);
    sw__buf_init(&note, sw_env_system());
    sw__buf_put_text(&note, foo_note);
    for (int i = 0; i < 16; i++) {
        sw__buf_printf(&note, DASH "witness.example/\xc3\xa4%d ", i);
        sw__base64_put(&note, large, sizeof(large));
        sw__buf_put_byte(&note, '\n');
    }
    assert_int_equal(sw__note_open(sw__buf_str(&note), &key, 1, &text, &who, &why), SW_OK);
    sw__buf_free(&note);
}

/* The tree note of golang.org/x/mod/sumdb/tlog. */
static void test_the_tree_of_a_checksum_database(void **state)
{
    sw__checkpoint checkpoint;
    uint8_t leaf[32];
    (void)state;
    assert_int_equal(sw__tree_leaf(hasher, (sw_str)SW__LIT("hello world"), leaf), SW_OK);
    assert_true(sw__checkpoint_peek(
        sw__str("go.sum database tree\n123456789012\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"
                "\n"),
        &checkpoint));
    assert_int_equal(checkpoint.size, 123456789012);
    assert_memory_equal(checkpoint.root, leaf, 32);
    assert_false(sw__checkpoint_peek(
        sw__str("go.sum database tree\n0xabcdef\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n\n"),
        &checkpoint));
}

/* Proofs from the test data of transparency-dev/merkle: hashes are base64, "" for none. */

static void hash_read(const char *text, uint8_t hash[32])
{
    size_t size = 0;
    assert_true(sw__base64_read(sw__str(text), hash, 32, &size));
    assert_int_equal(size, 32);
}

static sw__tree_proof proof_of(const char *const hashes[3])
{
    sw__tree_proof proof = {0};
    for (int i = 0; i < 3 && hashes[i]; i++)
        hash_read(hashes[i], proof.hashes[proof.count++]);
    return proof;
}

#define LEAF0 "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="
#define LEAF1 "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c="
#define ROOT2 "+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="
#define ROOT3 "rra8/idLcKFPsGel5VeCZNsPqbUa9eC6FZFY8yngbnc="
#define ROOT5 "Tju7H3tHjc/nH7YxYxUZo7yhLJrvyhYSv85ME6hiZNQ="
#define ROOT6 "duZ9rbzfHhDht03cYIq9L5jfsW+851J3tSMqEn8gh+8="
#define ROOT7 "3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw="
#define ROOT8 "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="
#define NODE_2_4 "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4="
#define NODE_4_8 "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ="
#define NODE_6_8 "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA="
#define NODE_0_4 "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc="
#define LEAF4 "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="
#define NODE_4_6 "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o="

static void test_inclusion_proofs_of_others(void **state)
{
    static const struct {
        int64_t index;
        int64_t size;
        const char *root;
        const char *leaf;
        const char *hashes[3];
    } cases[] = {
        {0, 1, LEAF0, LEAF0, {NULL}},
        {0, 8, ROOT8, LEAF0, {LEAF1, NODE_2_4, NODE_4_8}},
        {5, 8, ROOT8, "QnGia+DYqE8L1UyMMC58s6O10fpngKQLzOKHNHfatlg=", {LEAF4, NODE_6_8, NODE_0_4}},
        {2, 3, ROOT3, "ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c=", {ROOT2}},
        {1, 5, ROOT5, LEAF1, {LEAF0, NODE_2_4, LEAF4}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t root[32];
        uint8_t leaf[32];
        sw__tree_proof proof = proof_of(cases[i].hashes);
        hash_read(cases[i].root, root);
        hash_read(cases[i].leaf, leaf);
        assert_int_equal(
            sw__tree_check_inclusion(hasher, leaf, cases[i].index, cases[i].size, &proof, root), 1);
        /* The ways in which the data set spoils them. */
        assert_int_equal(
            sw__tree_check_inclusion(hasher, leaf, cases[i].index + 1, cases[i].size, &proof, root),
            0);
        assert_int_equal(
            sw__tree_check_inclusion(hasher, leaf, cases[i].index ^ 2, cases[i].size, &proof, root),
            0);
        assert_int_equal(
            sw__tree_check_inclusion(hasher, leaf, cases[i].index, cases[i].size * 2, &proof, root),
            0);
        memcpy(proof.hashes[proof.count++], root, 32);
        assert_int_equal(
            sw__tree_check_inclusion(hasher, leaf, cases[i].index, cases[i].size, &proof, root), 0);
    }
}

static void test_consistency_proofs_of_others(void **state)
{
    static const struct {
        int64_t old;
        int64_t size;
        const char *old_root;
        const char *root;
        const char *hashes[3];
    } cases[] = {
        {1, 1, LEAF0, LEAF0, {NULL}},
        {1, 8, LEAF0, ROOT8, {LEAF1, NODE_2_4, NODE_4_8}},
        {6, 8, ROOT6, ROOT8, {NODE_4_6, NODE_6_8, NODE_0_4}},
        {2, 5, ROOT2, ROOT5, {NODE_2_4, LEAF4}},
        {6, 7, ROOT6, ROOT7, {NODE_4_6, "sIaT7C5yFZcTBkHoIR5+7cy0wmQTlj7ubB4u0W/7Gl8=", NODE_0_4}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t old_root[32];
        uint8_t root[32];
        int64_t old = cases[i].old;
        int64_t size = cases[i].size;
        sw__tree_proof proof = proof_of(cases[i].hashes);
        hash_read(cases[i].old_root, old_root);
        hash_read(cases[i].root, root);
        assert_int_equal(sw__tree_check_consistency(hasher, old, size, &proof, old_root, root), 1);
        if (old == size)
            continue;
        assert_int_equal(sw__tree_check_consistency(hasher, old, size, &proof, root, old_root), 0);
        assert_int_equal(sw__tree_check_consistency(hasher, old ^ 2, size, &proof, old_root, root),
                         0);
        assert_int_equal(sw__tree_check_consistency(hasher, old, size * 2, &proof, old_root, root),
                         0);
        proof.count--;
        assert_int_equal(sw__tree_check_consistency(hasher, old, size, &proof, old_root, root), 0);
    }
}

/* The example of C2SP tlog-tiles: which tiles a tree of 70,000 entries has. */

static int tiles_seen[SW__TILE_LEVELS][2]; /* full ones, and the width of the other */

static int tile_note(void *context, const char *path, int level, int64_t first, sw_str content,
                     sw_error *err)
{
    (void)context;
    (void)path;
    (void)first;
    (void)err;
    if (level >= 0 && content.len == SW__TILE_WIDTH * 32)
        tiles_seen[level][0]++;
    else if (level >= 0)
        tiles_seen[level][1] = (int)(content.len / 32);
    return SW_OK;
}

static void test_the_tiles_of_the_example(void **state)
{
    static const int expected[][2] = {{273, 112}, {1, 17}, {0, 1}, {0, 0}};
    char path[SW__TILE_PATH_SIZE];
    sw__tiles tiles;
    (void)state;
    sw__tiles_init(&tiles, sw_env_system(), hasher, tile_note, NULL);
    for (int i = 0; i < 70000; i++)
        assert_int_equal(sw__tiles_add(&tiles, (sw_str)SW__LIT("x"), NULL), SW_OK);
    assert_int_equal(sw__tiles_end(&tiles, NULL), SW_OK);
    assert_memory_equal(tiles_seen, expected, sizeof(expected));
    sw__tiles_free(&tiles);
    sw__tile_path(path, 5, 1234067, SW__TILE_WIDTH);
    assert_string_equal(path, "tile/5/x001/x234/067");
    sw__tile_path(path, -1, 70000 / SW__TILE_WIDTH, 112);
    assert_string_equal(path, "tile/entries/273.p/112");
}

/* A proof as C2SP tlog-proof allows it, without an extra line, proves nothing about an entry. */
static void test_a_proof_without_an_entry(void **state)
{
    sw__proof proof;
    static const char text[] =
        "c2sp.org/tlog-proof@v1\nindex 1\n" LEAF0 "\n" NODE_2_4 "\n\nexample.com/log\n";
    (void)state;
    assert_true(sw__proof_read(sw__str(text), &proof));
    assert_false(proof.is_consistency);
    assert_null(proof.extra.ptr);
    assert_int_equal(proof.number, 1);
    assert_int_equal(proof.hashes.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_of_signed_note),
        cmocka_unit_test(test_notes_that_others_refuse),
        cmocka_unit_test(test_a_checkpoint_with_cosignatures),
        cmocka_unit_test(test_the_time_of_a_cosignature_counts),
        cmocka_unit_test(test_keys_of_other_programs),
        cmocka_unit_test(test_large_signatures_of_others),
        cmocka_unit_test(test_the_tree_of_a_checksum_database),
        cmocka_unit_test(test_inclusion_proofs_of_others),
        cmocka_unit_test(test_consistency_proofs_of_others),
        cmocka_unit_test(test_the_tiles_of_the_example),
        cmocka_unit_test(test_a_proof_without_an_entry),
    };
    return cmocka_run_group_tests_name("audit_vectors", tests, vectors_setup, vectors_teardown);
}
