/* The only door of the engine to the world: clocks, random, memory, files, processes.
 *
 * Extension point. Production passes NULL and gets sw_env_system(); a simulator or a test passes
 * its own. Nothing else in the core calls time(), random(), malloc() or fork().
 */
#ifndef STEPWELL_SYS_ENV_H
#define STEPWELL_SYS_ENV_H

#include <stddef.h>
#include <stdint.h>

#include "../abi.h"

/* A child process to start: in a session and process group of its own, stdin from /dev/null, no
 * other descriptor open, no signal blocked or ignored. */
typedef struct sw_spawn_request {
    uint32_t size;
    int32_t stdout_fd; /* becomes fd 1 of the child */
    int32_t stderr_fd; /* becomes fd 2 of the child */
    int32_t cwd_fd;    /* directory to run in, or -1 for the caller's */
    const char *path;  /* of the program; searched in PATH when it has no slash */
    const char *const *argv;
    const char *const *envp; /* NULL: the caller's environment; its PATH is the one searched */
    int32_t guard_fd;        /* -1, or a socket that is told "+ 123\n" by process 123 before its
                                program runs, and "- 123\n" when that could not be started */
    int32_t death_signal;    /* the child gets it when the calling thread ends; 0: none */
} sw_spawn_request;

/* What is asked about the sign of life of a worker. HOLD it until it is dropped or the process has
 * died; DROP it; ASK whether any process of this machine holds it. */
typedef enum sw_life { SW_LIFE_HOLD = 0, SW_LIFE_DROP = 1, SW_LIFE_ASK = 2 } sw_life;

/* A doorbell beside a database. It has this many tones: a ring sounds some of them, and who waits
 * listens for some of them. */
#define SW_BELL_TONES 32
typedef struct sw_bell sw_bell;

typedef struct sw_env {
    uint32_t size;
    void *context; /* first argument of every function below */

    /* Microseconds; mono and boot never go back while the machine is up, boot counts suspend. */
    int64_t (*clock_mono_us)(void *context);
    int64_t (*clock_boot_us)(void *context);
    int64_t (*clock_wall_us)(void *context);
    void (*boot_id)(void *context, uint8_t id[16]);

    /* Fill out with size unpredictable bytes; 0 or a negative sw_code. */
    int (*random)(void *context, void *out, size_t size);

    /* realloc(3) semantics; size 0 frees and returns NULL. */
    void *(*resize)(void *context, void *block, size_t size);

    /* Name of the SQLite VFS, NULL for the default one. */
    const char *vfs_name;

    /* Start a process; *pid gets its number. 0 or a negative errno. */
    int (*spawn)(void *context, const sw_spawn_request *request, int64_t *pid);

    /* Called between the statements of a transaction; a simulator switches actors here. */
    void (*yield)(void *context, const char *place);

    /* Signs of life beside the database at path; a hint that saves waiting for the end of a lease.
     * HOLD and DROP: 0 or a negative sw_code; ASK: 1 held, 0 not held, negative: cannot say. NULL:
     * there are no signs of life, only leases. */
    int (*life)(void *context, int question, const char *path, int64_t worker_id);

    /* The doorbell of the database at path, which all processes of this machine share; a hint that
     * saves asking the database again and again. NULL when there is none: then the engine asks.
     * Where bell_open itself is NULL the others may be NULL too. */
    sw_bell *(*bell_open)(void *context, const char *path);
    /* inherited is not 0 in a forked child, whose threads are gone. */
    void (*bell_close)(void *context, sw_bell *bell, int inherited);
    /* Sound these tones (a bit for each): raise their counts and wake who listens for one. */
    void (*bell_ring)(void *context, sw_bell *bell, uint32_t tones);
    /* How often each tone has sounded, modulo 2^32. */
    void (*bell_count)(void *context, sw_bell *bell, uint32_t counts[SW_BELL_TONES]);
    /* Wait until the count of one of these tones differs from counts, or until_us of the monotonic
     * clock has come; may return early. */
    void (*bell_wait)(void *context, sw_bell *bell, uint32_t tones,
                      const uint32_t counts[SW_BELL_TONES], int64_t until_us);
} sw_env;

SW_BEGIN_DECLS

/* The real world: POSIX clocks, getrandom, realloc, clone and execve.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const sw_env *sw_env_system(void);

SW_END_DECLS

#endif
