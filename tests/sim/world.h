/* The simulated machine: actors as coroutines on one thread, a virtual clock, faults.
 *
 * An actor stands for one thread. It is alone in its process or shares it with others: a process
 * has one engine, one memory, one set of file handles, and it dies as a whole.
 * Control changes hands only at points: in every operation of the file system, at every yield of
 * the engine, at the locks of a shared engine, and when an actor sleeps. At each point one draw
 * decides what happens.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/choice.h"
#include "sim/coroutine.h"
#include "sim/heap.h"
#include "stepwell.h"

#define WORLD_ACTORS_MAX COROUTINES_MAX

/* Faults that a point can bring; their rates are drawn per run and are often zero. */
#define WORLD_FAULT_MAP(XX)                                                                        \
    XX(KILL, "kill")             /* the actor dies in the middle of what it does */                \
    XX(POWER, "power loss")      /* everybody dies, unsynced writes are lost in part */            \
    XX(EIO, "I/O error")         /* this operation fails */                                        \
    XX(EIO_FOR_EVER, "bad disk") /* all operations of this actor fail until it starts again */     \
    XX(FULL, "disk full")        /* writes fail for a while */                                     \
    XX(NO_MEMORY, "no memory")   /* one of the next allocations fails */                           \
    XX(WALL_JUMP, "clock jump")  /* the wall clock jumps */                                        \
    XX(BUSY, "busy")             /* a lock is refused for no reason */

typedef enum world_fault {
#define WORLD_FAULT_VALUE(name, text) WORLD_##name,
    WORLD_FAULT_MAP(WORLD_FAULT_VALUE)
#undef WORLD_FAULT_VALUE
        WORLD_FAULT_COUNT
} world_fault;

#define WORLD_SIGNS_MAX 256
/* The place of a write to the database itself, which only a checkpoint makes. */
#define WORLD_CHECKPOINT "checkpoint"

#define WORLD_NEVER_US INT64_MAX

struct world;

typedef struct process {
    struct world *world;
    world_heap heap;
    sw_env env;
    sw_engine *engine; /* NULL: not open */
    struct sw__store *ready; /* open already, for the engine that it opens next (image.h) */
    int threads;       /* actors that have begun and not ended */
    int users;         /* of the engine */
    bool changing;     /* the engine is being opened or closed */
    bool disk_bad;
    int life; /* how often it was started */
} process;

/* A sign of life: which process holds it. */
typedef struct world_sign {
    int64_t worker_id;
    const process *holder;
    int life; /* of the holder */
} world_sign;

typedef struct actor {
    struct world *world;
    process *process;
    int index;
    const char *role;
    void (*body)(struct actor *self);
    int number; /* among those of its role */
    coroutine routine;
    bool alive;      /* its coroutine has begun and not ended */
    bool finished;   /* its body returned: nothing left to do */
    bool waiting;    /* in a call that waits, without the lock of its engine */
    uint32_t listens; /* for these tones of the bell, while it waits */
    bool operates;   /* takes something up that had ended, perhaps */
    bool watches;    /* waits for a task: what it reads matters at that moment */
    int64_t woke_us; /* when it last waited so */
    int64_t wake_us;
    const void *blocked_on; /* a lock or a condition of its engine that others have to give */
    sw_engine *engine;      /* of its process, while it uses it */
} actor;

typedef struct world {
    choice choice;
    uint64_t noise; /* state of bytes that are not choices */
    int64_t now_us;
    int64_t harness_us; /* how far ahead the harness is, which sleeps without the actors */
    int64_t boot_started_us;
    int64_t wall_offset_us;
    uint8_t boot_id[16];
    int boots;
    uint32_t rates[WORLD_FAULT_COUNT + 1]; /* of 65,536 points; the last one: somebody else runs */
    choice_weights weights;                /* the same */
    bool calm;                             /* no faults at all, and long leases */
    bool healed;                           /* no faults any more */
    bool power_lost;
    int64_t full_until_us;
    bool has_signs; /* processes of this machine see each other die */
    world_sign signs[WORLD_SIGNS_MAX];
    int sign_count;
    bool has_bell;   /* processes of this machine hear each other's commits */
    bool bell_fails; /* and sometimes do not */
    uint32_t rings[SW_BELL_TONES];
    uint64_t rings_lost; /* perhaps: who dies may have committed and not rung */
    uint64_t points;
    uint64_t faults[WORLD_FAULT_COUNT];
    uint32_t spent; /* bit mask of the faults that have come often enough */
    actor actors[WORLD_ACTORS_MAX];
    int actor_count;
    process processes[WORLD_ACTORS_MAX];
    int process_count;
    actor *current; /* NULL: the harness itself runs, without faults */
    void (*on_death)(struct world *w, process *dead); /* NULL: the machine has lost power */
    void *ledger;
    bool trace;
    char violation[1024]; /* empty: none */
} world;

void world_init(world *w, uint64_t seed);
void world_free(world *w);
process *world_add_process(world *w);
actor *world_add(world *w, process *home, const char *role, void (*body)(actor *), int number);
/* A process that is none of the world's: the harness's (process.c). */
void process_init(process *self, world *w);

/* Run until every actor has finished, something is violated, or the limits are reached (false). */
bool world_run(world *w, int64_t until_us, uint64_t points_max);

/* A place where control may change hands and a fault may come. Answers the fault that the caller
 * has to act out (EIO, EIO_FOR_EVER, FULL, BUSY), or -1. may: bit mask of world_fault. */
int world_point(world *w, uint32_t may, const char *place);
/* Let virtual time pass for the current actor; for the harness alone when there is none. */
void world_sleep(world *w, int64_t us);
/* Wait until somebody releases the lock or condition, at most until a point in time. */
void world_block(world *w, const void *on, int64_t until_us);
void world_release(world *w, const void *blocked_on);
/* Block in a call that waits for news, without the lock of its engine. */
void world_wait(world *w, const void *on, int64_t until_us);
/* The process of the current actor dies now; does not return. */
void world_die(world *w);

/* Remember the first violation; format as printf. */
void world_violate(world *w, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void world_note(world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Route SQLite's memory to the current process; once per process, before its first use (heap.c). */
void heap_install(world *const *current_world);
const char *world_fault_name(int fault);

#endif
