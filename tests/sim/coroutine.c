/* Switching stacks; see coroutine.h.
 *
 * swapcontext asks the kernel for the signal mask at every switch, which is most of its time, so it
 * only starts a coroutine; _longjmp, which does not, goes on with it. A sanitizer follows
 * swapcontext and takes such a jump for a mistake, so there it makes every switch.
 */
#include "sim/coroutine.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define COROUTINE_STACK_SIZE (512 * 1024)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COROUTINE_FOLLOWED 1
#else
#define COROUTINE_FOLLOWED 0
#endif

static ucontext_t coroutine_caller;
static jmp_buf coroutine_back;
static coroutine *coroutine_current;

/* Stacks are kept for the next schedule: fresh memory from the kernel costs more than a switch. */
static char *coroutine_stack(int which)
{
    static char *stacks[COROUTINES_MAX];
    if (!stacks[which])
        stacks[which] = mmap(NULL, COROUTINE_STACK_SIZE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (stacks[which] == MAP_FAILED)
        abort();
    return stacks[which];
}

static void coroutine_main(void)
{
    coroutine_current->body(coroutine_current->argument);
    abort();
}

void coroutine_start(coroutine *c, int which, void (*body)(void *argument), void *argument)
{
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = coroutine_stack(which);
    c->context.uc_stack.ss_size = COROUTINE_STACK_SIZE;
    c->context.uc_link = NULL;
    makecontext(&c->context, coroutine_main, 0);
    c->entered = false;
    c->body = body;
    c->argument = argument;
}

void coroutine_enter(coroutine *c)
{
    coroutine_current = c;
    if (COROUTINE_FOLLOWED) {
        swapcontext(&coroutine_caller, &c->context);
        return;
    }
    if (_setjmp(coroutine_back) != 0)
        return;
    if (c->entered)
        _longjmp(c->jump, 1);
    c->entered = true;
    setcontext(&c->context);
}

void coroutine_leave(coroutine *c)
{
    if (COROUTINE_FOLLOWED)
        swapcontext(&c->context, &coroutine_caller);
    else if (_setjmp(c->jump) == 0)
        _longjmp(coroutine_back, 1);
}
