/* Stacks that control jumps between, on one thread. */
#ifndef SIM_COROUTINE_H
#define SIM_COROUTINE_H

#include <setjmp.h>
#include <stdbool.h>
#include <ucontext.h>

#define COROUTINES_MAX 12

typedef struct coroutine {
    ucontext_t context; /* of the first start on its stack; with sanitizers, of every switch */
    jmp_buf jump;       /* where it left */
    int which;          /* its stack */
    bool entered;
    void (*body)(void *argument);
    void *argument;
} coroutine;

/* Prepare to run body(argument) on stack number `which`, whatever ran there before. body must not
 * return: it leaves for the last time. */
void coroutine_start(coroutine *c, int which, void (*body)(void *argument), void *argument);
/* Run it until it leaves. */
void coroutine_enter(coroutine *c);
/* Back to the one who entered. */
void coroutine_leave(coroutine *c);

#endif
