/* Doorbells: waking other processes of this machine without asking the database.
 *
 * The file PATH-bell holds one counter for each tone and a pulse that every ring moves. Whoever
 * rings raises counters and pulse and wakes those who sleep on the pulse and listen for one of the
 * tones; whoever waits compares counters and sleeps on the pulse.
 *
 * No instruction of this process touches the mapping, because whoever may write the file may also
 * cut it short, and touching what is gone is SIGBUS. Counters are read with pread and raised by the
 * kernel (FUTEX_WAKE_OP), which answers EFAULT; then the file is made whole again. Nothing rests on
 * a bell: a ring that is lost costs the time until the waiter looks by itself.
 *
 * The file may be deleted or replaced. Once a second a bell looks what lies at its name, and moves.
 * Not here: what the tones mean (engine/bell.h).
 */
#include "base/bell.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"

#define BELL_MAGIC "stepwell doorbell 1\n"
#define BELL_LOOK_US 500000  /* between two looks at what lies at the name */
#define BELL_BROKEN_US 25000 /* a wait on a file that cannot be made whole */
#define BELL_NAME_MAX 4200

/* The words of the file. */
typedef struct bell_words {
    char magic[64];
    uint32_t pulse;
    uint32_t tried; /* raised by whoever opens, to see whether that can be read */
    uint32_t unused[14];
    uint32_t counts[SW_BELL_TONES];
} bell_words;

_Static_assert(sizeof(bell_words) == 256, "the file has one form");

typedef struct bell_file {
    int fd;
    int users;         /* calls that work with it; guarded by the bell's lock */
    bell_words *words; /* mapped; only its addresses are used */
    dev_t device;
    ino_t inode;
} bell_file;

struct sw_bell {
    pthread_mutex_t lock;
    bell_file *file; /* guarded by lock */
    int64_t look_us; /* monotonic, of the next look at the name; guarded by lock */
    char name[BELL_NAME_MAX];
};

/* Futexes. */

static long bell_wake(uint32_t *word, uint32_t tones)
{
    return syscall(SYS_futex, word, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, tones);
}

/* The kernel raises the word. Nobody sleeps on idle, which is what the operation wakes. */
static long bell_raise(uint32_t *word, uint32_t *idle)
{
    unsigned int add_one = FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_LT, INT_MIN);
    return syscall(SYS_futex, idle, FUTEX_WAKE_OP, 1, 0L, word, add_one);
}

static long bell_sleep(uint32_t *word, uint32_t value, uint32_t tones, int64_t until_us)
{
    const struct timespec until = {.tv_sec = until_us / 1000000,
                                   .tv_nsec = until_us % 1000000 * 1000};
    return syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, &until, NULL, tones);
}

/* Files. */

static bool bell_read(const bell_file *file, bell_words *words)
{
    return pread(file->fd, words, sizeof *words, 0) == (ssize_t)sizeof *words;
}

/* Whether a file begins as a bell does, as far as it goes and is not empty. */
static bool bell_is_ours(const bell_words *words)
{
    const bell_words fresh = {.magic = BELL_MAGIC};
    for (size_t i = 0; i < sizeof fresh.magic; i++) {
        if (words->magic[i] != fresh.magic[i] && words->magic[i] != 0)
            return false;
    }
    return true;
}

/* Write what is missing, unless somebody else's file has the name. Written and not left as a hole,
 * which a full disk could not fill later. */
static bool bell_mend(const bell_file *file)
{
    const bell_words fresh = {.magic = BELL_MAGIC};
    bell_words words = {.pulse = 0};
    ssize_t have = pread(file->fd, &words, sizeof words, 0);
    if (have < 0 || !bell_is_ours(&words))
        return false;
    size_t left = sizeof words - (size_t)have;
    const char *rest = (const char *)&fresh + have;
    if (left > 0 && pwrite(file->fd, rest, left, have) != (ssize_t)left)
        return false;
    bool named = memcmp(words.magic, fresh.magic, sizeof fresh.magic) == 0;
    return named || pwrite(file->fd, fresh.magic, sizeof fresh.magic, 0) > 0;
}

/* Whether what the kernel raises in the mapping can be read; not so on every network's files. */
static bool bell_works(const bell_file *file)
{
    bell_words before;
    bell_words after;
    return bell_read(file, &before) &&
           bell_raise(&file->words->tried, &file->words->unused[0]) >= 0 &&
           bell_read(file, &after) && after.tried != before.tried;
}

static void bell_file_close(bell_file *file)
{
    if (file->words)
        munmap(file->words, sizeof *file->words);
    if (file->fd >= 0)
        close(file->fd);
    sw__free(sw_env_system(), file);
}

static bool bell_database(const char *name, struct stat *found)
{
    char path[BELL_NAME_MAX];
    snprintf(path, sizeof path, "%.*s", (int)(strlen(name) - strlen("-bell")), name);
    return stat(path, found) == 0;
}

/* Who may use the database may use its bell. */
static void bell_share(int fd, const char *name)
{
    struct stat database;
    if (!bell_database(name, &database))
        return;
    if (geteuid() == 0 && fchown(fd, database.st_uid, database.st_gid) < 0)
        return;
    (void)fchmod(fd, database.st_mode & 0666);
}

static int bell_file_descriptor(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        bell_share(fd, name);
    else if (errno == EEXIST)
        fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return fd;
}

static bell_file *bell_file_open(const char *name)
{
    struct stat found;
    bell_file *file = sw__calloc(sw_env_system(), 1, sizeof *file);
    if (!file)
        return NULL;
    file->fd = bell_file_descriptor(name);
    bool usable =
        file->fd >= 0 && fstat(file->fd, &found) == 0 && S_ISREG(found.st_mode) && bell_mend(file);
    if (usable) {
        void *words =
            mmap(NULL, sizeof *file->words, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
        file->words = words == MAP_FAILED ? NULL : words;
        file->device = found.st_dev;
        file->inode = found.st_ino;
    }
    if (usable && file->words && bell_works(file))
        return file;
    bell_file_close(file);
    return NULL;
}

/* Taking and giving back the file that is used now. */

/* Move to what lies at the name now. Who sleeps at the old one comes out and finds the new one. */
static void bell_follow(sw_bell *bell)
{
    struct stat found;
    bell_file *old = bell->file;
    if (stat(bell->name, &found) == 0 && found.st_dev == old->device && found.st_ino == old->inode)
        return;
    /* Nothing is left beside a database that was deleted. */
    bell_file *fresh = bell_database(bell->name, &found) ? bell_file_open(bell->name) : NULL;
    if (!fresh)
        return;
    bell->file = fresh;
    bell_raise(&old->words->pulse, &old->words->unused[0]);
    bell_wake(&old->words->pulse, FUTEX_BITSET_MATCH_ANY);
    if (old->users == 0)
        bell_file_close(old);
}

static bell_file *bell_take(sw_bell *bell)
{
    int64_t now_us = sw_env_system()->clock_mono_us(NULL);
    pthread_mutex_lock(&bell->lock);
    if (now_us >= bell->look_us) {
        bell->look_us = now_us + BELL_LOOK_US;
        bell_follow(bell);
    }
    bell_file *file = bell->file;
    file->users++;
    pthread_mutex_unlock(&bell->lock);
    return file;
}

static void bell_give(sw_bell *bell, bell_file *file)
{
    pthread_mutex_lock(&bell->lock);
    bool left = --file->users == 0 && file != bell->file;
    pthread_mutex_unlock(&bell->lock);
    if (left)
        bell_file_close(file);
}

/* Read all words; zeros when the file cannot be made whole. */
static bool bell_look(const bell_file *file, bell_words *words)
{
    if (bell_read(file, words) || (bell_mend(file) && bell_read(file, words)))
        return true;
    memset(words, 0, sizeof *words);
    return false;
}

/* The functions of the environment. */

/* The name is the one of the file itself, whichever links lead to it, and holds after a chdir. */
static bool bell_name(char name[BELL_NAME_MAX], const char *path)
{
    char real[PATH_MAX];
    return realpath(path, real) && snprintf(name, BELL_NAME_MAX, "%s-bell", real) < BELL_NAME_MAX;
}

sw_bell *sw__bell_system_open(void *context, const char *path)
{
    (void)context;
    sw_bell *bell = sw__calloc(sw_env_system(), 1, sizeof *bell);
    if (!bell)
        return NULL;
    if (bell_name(bell->name, path))
        bell->file = bell_file_open(bell->name);
    if (!bell->file) {
        sw__free(sw_env_system(), bell);
        return NULL;
    }
    pthread_mutex_init(&bell->lock, NULL);
    return bell;
}

void sw__bell_system_close(void *context, sw_bell *bell, int inherited)
{
    (void)context;
    bell_file_close(bell->file);
    /* A thread that does not exist in a child may hold the lock. */
    if (!inherited)
        pthread_mutex_destroy(&bell->lock);
    sw__free(sw_env_system(), bell);
}

static bool bell_ring(const bell_file *file, uint32_t tones)
{
    bell_words *words = file->words;
    for (uint32_t tone = 0; tone < SW_BELL_TONES; tone++) {
        if (tones >> tone & 1 && bell_raise(&words->counts[tone], &words->unused[0]) < 0)
            return false;
    }
    return bell_raise(&words->pulse, &words->unused[0]) >= 0 &&
           bell_wake(&words->pulse, tones) >= 0;
}

void sw__bell_system_ring(void *context, sw_bell *bell, uint32_t tones)
{
    (void)context;
    bell_file *file = bell_take(bell);
    if (!bell_ring(file, tones) && bell_mend(file))
        bell_ring(file, tones);
    bell_give(bell, file);
}

void sw__bell_system_count(void *context, sw_bell *bell, uint32_t counts[SW_BELL_TONES])
{
    bell_words words;
    (void)context;
    bell_file *file = bell_take(bell);
    bell_look(file, &words);
    bell_give(bell, file);
    memcpy(counts, words.counts, sizeof words.counts);
}

static bool bell_rang(const uint32_t *now, const uint32_t *then, uint32_t tones)
{
    for (uint32_t tone = 0; tone < SW_BELL_TONES; tone++) {
        if (tones >> tone & 1 && now[tone] != then[tone])
            return true;
    }
    return false;
}

/* A file that nobody can make whole rings no more: look again soon, as without a bell. */
static void bell_wait_broken(int64_t until_us)
{
    int64_t soon_us = sw_env_system()->clock_mono_us(NULL) + BELL_BROKEN_US;
    int64_t end_us = until_us < soon_us ? until_us : soon_us;
    const struct timespec end = {.tv_sec = end_us / 1000000, .tv_nsec = end_us % 1000000 * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
}

void sw__bell_system_wait(void *context, sw_bell *bell, uint32_t tones,
                          const uint32_t counts[SW_BELL_TONES], int64_t until_us)
{
    bell_words words;
    (void)context;
    if (until_us <= 0)
        return;
    bell_file *file = bell_take(bell);
    bool whole = bell_look(file, &words);
    if (!whole)
        bell_wait_broken(until_us);
    else if (!bell_rang(words.counts, counts, tones))
        bell_sleep(&file->words->pulse, words.pulse, tones, until_us);
    bell_give(bell, file);
}

#endif
