/* Limits on input (docs/reference/limits.md). Each is tested at the limit and one beyond. */
#ifndef SW_BASE_LIMITS_H
#define SW_BASE_LIMITS_H

#define SW__DEFINITION_MAX (16 * 1024 * 1024) /* bytes of one definition text */
#define SW__DEPTH_MAX 64                     /* nesting of JSON and YAML */
#define SW__NODES_MAX 1000000                /* values in one document */
#define SW__CANONICAL_MAX (96 * 1024 * 1024) /* bytes of a definition as the library writes it */
#define SW__CANONICAL_NODES_MAX 4000000      /* values in it */
#define SW__SCALAR_MAX (64 * 1024)           /* bytes of one scalar in a definition */
#define SW__KEY_MAX 256                      /* bytes of one mapping key */
#define SW__NAME_MAX 128                     /* bytes of a workflow, step, handler or queue name */
#define SW__TEXT_MAX 1024       /* bytes of a title, reason, initiator, key, tag, ... */
#define SW__TAGS_MAX 64         /* tags of one task */
#define SW__STEPS_MAX 100000    /* steps of one workflow */
#define SW__EDGES_MAX 1000000   /* dependencies of one workflow */
#define SW__STEP_DEPS_MAX 10000 /* dependencies of one step */
#define SW__ATTEMPTS_MAX 1000   /* max_attempts of one step, and max_crashes */
#define SW__DELAY_MAX_MS (10LL * 366 * 86400 * 1000) /* ten years */
#define SW__PAYLOAD_MAX (1024 * 1024)                /* default for one input or result */
#define SW__ERROR_TEXT_MAX (64 * 1024) /* kept bytes of an error's message or detail */
#define SW__BREAKERS_MAX 1000           /* circuit breakers that one workflow sets */
#define SW__BREAKER_MAX 1000000        /* a threshold of a breaker, and its probes */
#define SW__HANDLERS_MAX 10000         /* handlers of one worker */
#define SW__BATCH_MAX 100000           /* rows of one call */
#define SW__VERTICES_MAX 500000        /* steps and bends of one picture */
#define SW__GANTT_ROWS_MAX 100000      /* bars of one Gantt chart */
#define SW__TASK_FILE_MAX ((size_t)256 * 1024 * 1024) /* bytes of the text of a task file */
#define SW__TASK_FILE_NODES_MAX 4000000 /* values in it */
#define SW__LEASE_MAX_MS (24LL * 3600 * 1000)
#define SW__ANCHOR_COMMAND_MAX_MS 60000 /* one command that an anchor needs: git, curl */

#endif
