/* Switching stacks; see coroutine.h.
 *
 * swapcontext asks the kernel for the signal mask at every switch, which is most of its time, so it
 * only makes the first switch to a stack; _longjmp, which does not, goes on with what runs there
 * and comes back to its bottom to start something else. A sanitizer follows swapcontext and takes
 * such a jump for a mistake, so there it makes every switch.
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
static struct coroutine_stack {
    char *memory;
    bool used;
    jmp_buf bottom;
} coroutine_stacks[COROUTINES_MAX];

static char *coroutine_memory(int which)
{
    struct coroutine_stack *stack = &coroutine_stacks[which];
    if (!stack->memory)
        stack->memory = mmap(NULL, COROUTINE_STACK_SIZE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (stack->memory == MAP_FAILED)
        abort();
    return stack->memory;
}

/* Its own frame stays for good, so that every later start can jump to it. */
static void coroutine_main(void)
{
    if (!COROUTINE_FOLLOWED)
        (void)_setjmp(coroutine_stacks[coroutine_current->which].bottom);
    coroutine_current->body(coroutine_current->argument);
    abort();
}

static void coroutine_prepare(coroutine *c)
{
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = coroutine_memory(c->which);
    c->context.uc_stack.ss_size = COROUTINE_STACK_SIZE;
    c->context.uc_link = NULL;
    makecontext(&c->context, coroutine_main, 0);
}

void coroutine_start(coroutine *c, int which, void (*body)(void *argument), void *argument)
{
    c->which = which;
    c->entered = false;
    c->body = body;
    c->argument = argument;
    if (COROUTINE_FOLLOWED || !coroutine_stacks[which].used)
        coroutine_prepare(c);
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
    if (coroutine_stacks[c->which].used)
        _longjmp(coroutine_stacks[c->which].bottom, 1);
    coroutine_stacks[c->which].used = true;
    setcontext(&c->context);
}

void coroutine_leave(coroutine *c)
{
    if (COROUTINE_FOLLOWED)
        swapcontext(&c->context, &coroutine_caller);
    else if (_setjmp(c->jump) == 0)
        _longjmp(coroutine_back, 1);
}
