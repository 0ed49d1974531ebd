/* The simulated machine: actors as coroutines on one thread, a virtual clock, faults.
 *
 * An actor stands for one process: it has its own engine, its own memory, its own file handles.
 * Control changes hands only at points: in every operation of the file system, at every yield of
 * the engine, and when an actor sleeps. At each point one draw decides what happens.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <ucontext.h>

#include "sim/choice.h"
#include "stepwell.h"

#define WORLD_ACTORS_MAX 12
#define WORLD_STACK_SIZE (512 * 1024)

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

struct world;

/* Memory of one actor; given back whole when it dies. */
typedef struct world_block {
    struct world_block *next;
    struct world_block *previous;
    size_t size;
    struct world_heap *heap;
} world_block;

typedef struct world_heap {
    world_block first; /* head of a ring */
    size_t blocks;
    uint32_t fail_in; /* 0: no failure planned; 1: the next allocation fails */
    bool fail_for_ever;
} world_heap;

typedef struct actor {
    struct world *world;
    int index;
    const char *role;
    void (*body)(struct actor *self);
    void *plan; /* of the role */
    ucontext_t context;
    char *stack;
    bool alive;    /* its coroutine has begun and not ended */
    bool finished; /* its body returned: nothing left to do */
    int life;      /* how often it was started */
    int64_t wake_us;
    bool disk_bad;
    world_heap heap;
    sw_env env;
    sw_engine *engine; /* for the end of a killed one */
} actor;

typedef struct world {
    choice choice;
    uint64_t noise; /* state of bytes that are not choices */
    int64_t now_us;
    int64_t boot_started_us;
    int64_t wall_offset_us;
    uint8_t boot_id[16];
    uint32_t switch_rate; /* of 65,536 */
    uint32_t fault_rate[WORLD_FAULT_COUNT];
    bool healed; /* no faults any more */
    bool power_lost;
    int64_t full_until_us;
    uint64_t points;
    uint64_t faults[WORLD_FAULT_COUNT];
    actor actors[WORLD_ACTORS_MAX];
    int actor_count;
    actor *current; /* NULL: the harness itself runs, without faults */
    ucontext_t scheduler;
    void (*on_death)(struct world *w, actor *dead);
    void *ledger;
    bool trace;
    char violation[1024]; /* empty: none */
} world;

void world_init(world *w, uint64_t seed);
void world_free(world *w);
actor *world_add(world *w, const char *role, void (*body)(actor *), void *plan);

/* Run until every actor has finished, something is violated, or the limits are reached (false). */
bool world_run(world *w, int64_t until_us, uint64_t points_max);

/* A place where control may change hands and a fault may come. Answers the fault that the caller
 * has to act out (EIO, EIO_FOR_EVER, FULL, BUSY), or -1. may: bit mask of world_fault. */
int world_point(world *w, uint32_t may, const char *place);
/* Let virtual time pass for the current actor. */
void world_sleep(world *w, int64_t us);
/* The current actor dies now; does not return. */
void world_die(world *w);

/* Remember the first violation; format as printf. */
void world_violate(world *w, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void world_note(world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Memory (heap.c). */
void heap_init(world_heap *heap);
void *heap_resize(world_heap *heap, void *block, size_t size);
void heap_drop(world_heap *heap);
/* Route SQLite's memory to the current actor; once per process, before its first use. */
void heap_install(world *const *current_world);
const char *world_fault_name(int fault);

#endif
