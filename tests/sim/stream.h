/* What is known of events: which rows were to be appended and what was answered, which states of
 * the projection were saved, and the actors who do both.
 *
 * A row has a number, which stands in its data and in the reason of its entry, so that the log
 * tells which rows it holds. Rows without a key are sent once; those with one again and again. Not
 * here: holding the log against it (oracle_events.c, oracle_fold.c).
 */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include "sim/world.h"

#define STREAM_ROWS 40
#define STREAM_SAVES 256
#define STREAM_TYPES 3
#define STREAM_ACTOR "eve"
#define STREAM_PROJECTION "fold"
#define STREAM_CORRELATION "order-7"
#define STREAM_NOBODY (-1)

struct ledger;

typedef struct stream_row {
    int owner; /* who sends it */
    int task;  /* STREAM_NOBODY: one that nobody submitted */
    int key;   /* 0: none */
    int type;
    bool bare;        /* without data; it has no key then, so that no two rows are the same */
    bool correlated;  /* with a correlation id of its own */
    int step;         /* 0: none; else its number, from 1, which may be too high */
    int64_t expected; /* version, 0: any */
    int call;         /* the number of the call that sent it first */
    bool whole;       /* that call was to write all of its rows or none */
    int sent;         /* how often */
    bool doubted;     /* a call with it has no answer, or none yet */
    int64_t position; /* that was acknowledged, 0: none */
    int64_t known_us; /* since when */
    int code;         /* of the newest refusal, 0: none */
    int64_t version;  /* that the newest answer told, 0: none */
    int64_t seen;     /* position that had been seen before it was sent */
} stream_row;

/* An acknowledged save. */
typedef struct stream_save {
    int64_t epoch;
    int64_t from;
    int64_t to;
} stream_save;

typedef struct stream {
    int appenders; /* of the run */
    int folders;
    bool own_types; /* only what was appended is folded */
    stream_row rows[STREAM_ROWS];
    int row_count;
    int calls;
    int64_t seen; /* the highest position that an answer has told */
    stream_save saves[STREAM_SAVES];
    int save_count;
    int64_t epoch;    /* of the projection, when it was last opened */
    int64_t gone;     /* the epoch that was erased or deleted last, as was acknowledged; 0: none */
    bool forgettable; /* somebody was about to erase or to delete */
} stream;

/* What is folded of the events: how many there were, and a number that depends on all of them and
 * on their order. */
typedef struct stream_fold {
    int64_t events;
    int64_t digest;
} stream_fold;

/* Texts of a row; absent where it has none. */
typedef struct stream_texts {
    char data[32];
    char key[8];
    char reason[16];
    char step[2];
} stream_texts;

/* Draw who appends and who folds. */
void stream_draw(stream *s, choice *c);
/* Fill a row for a call; its texts lie in texts. */
void stream_fill(const struct ledger *l, int number, stream_texts *texts, sw_event_row *row);
sw_str stream_type(int type);
/* Number of the row that an entry was written for, or -1. */
int stream_find(const stream *s, const sw_audit_entry *entry);
/* Whether another row has the key. */
bool stream_has_rival(const stream *s, int number);

/* An answer has told of an event at this position. */
void stream_see(stream *s, int64_t position);
/* Somebody is about to erase or to delete; the epoch that is known now. */
int64_t stream_may_forget(stream *s);
/* A save was acknowledged; false: another one has counted some of its events. */
bool stream_saved(stream *s, int64_t epoch, int64_t from, int64_t to);
/* The highest position that one of the first acknowledged saves has reached, in an epoch. */
int64_t stream_saved_to(const stream *s, int saves, int64_t epoch);

void stream_fold_add(stream_fold *fold, const sw_audit_entry *entry);
sw_str stream_fold_write(const stream_fold *fold, char text[64]);
/* False for anything that was not written so; nothing is the fold of no event. */
bool stream_fold_read(sw_str text, stream_fold *fold);
/* Whether the projection of a run counts an entry. */
bool stream_folds(const stream *s, const sw_audit_entry *entry);

/* The bodies of the roles (appender.c, folder.c). */
void actor_append(actor *self);
void actor_fold(actor *self);

#endif
