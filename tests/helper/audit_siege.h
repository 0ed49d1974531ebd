/* An honest log under siege: what each level of verification says while somebody changes it. The
 * checkpoint of the whole log is the auditor's; the attacker has the store, and where a test says
 * so the key.
 *
 * Counting: what level 1 finds, level 2 finds, which does the same and more; so level 2 is asked
 * about whatever level 1 misses and about every 64th attack besides. */
#ifndef HELPER_AUDIT_SIEGE_H
#define HELPER_AUDIT_SIEGE_H

#include "audit/checkpoint.h"
#include "helper/audit_log.h"

#define SIEGE_LEVELS 3
#define SIEGE_NAME "example.com/log"

/* How often something was tried, and how often each level found it. */
typedef struct siege_tally {
    int tried;
    int found[SIEGE_LEVELS];
} siege_tally;

typedef struct audit_siege {
    audit_log log;
    sw__segment *honest; /* the segments before any attack */
    size_t honest_count;
    sw__note_signer signer;
    int asked;    /* verifications so far: every fourth is by two threads, too, and must say the same */
    sw__buf key;  /* its verifier key */
    sw__buf note; /* the checkpoint of the whole log */
} audit_siege;

void siege_open(audit_siege *siege);
void siege_close(audit_siege *siege);
/* Put the honest segments back. */
void siege_restore(audit_siege *siege);

/* Append a checkpoint of a whole log to out. */
void siege_sign(audit_siege *siege, audit_log *log, sw__buf *out);
/* The key changes: a checkpoint that both sign goes to out, and the siege signs with the next one.
 * siege->key stays what the auditor trusts. */
void siege_rotate(audit_siege *siege, audit_log *log, sw__buf *out);
/* Whether verifying a log with these checkpoints finds something. */
bool siege_finds_any(audit_siege *siege, audit_log *log, const sw_str *notes, size_t count);
/* Whether verifying a log with a checkpoint finds something; an empty one: at level 1. */
bool siege_finds(audit_siege *siege, audit_log *log, sw_str checkpoint);
/* The same where the auditor has an anchor, whatever checkpoint the attacker hands over. */
bool siege_finds_anchored(audit_siege *siege, audit_log *log, sw_str checkpoint, sw_str anchor);
/* Count one attack as it is now, with the auditor's checkpoint at level 2. Level 3 is level 2 and
 * more. */
void siege_count(audit_siege *siege, siege_tally *sum, audit_log *log);

/* Attacks on files that were handed out: one bit of each changed, every stride-th. Each says what
 * it attacks; all are found where the file is checked at all. */
void siege_flip_checkpoint(audit_siege *siege, siege_tally *sum, int stride);
void siege_flip_proofs(audit_siege *siege, siege_tally *sum, int stride);
void siege_flip_export(audit_siege *siege, siege_tally *sum, int stride);
/* A file of an export removed, cut by a byte, or put in the place of another one, each. */
void siege_swap_export(audit_siege *siege, siege_tally *sum);

#endif
