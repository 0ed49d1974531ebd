/* The built-in step kinds and their parameters: the one list that loading checks against and the
 * worker reads with. Not here: what a kind does (worker). */
#ifndef SW_MODEL_KINDS_H
#define SW_MODEL_KINDS_H

#include "base/node.h"
#include "model/findings.h"
#include "stepwell/error.h"

/* XX(NAME, value, handler name). A name without a dot belongs to a built-in kind, one with a dot
 * to an application. */
#define SW__KIND_MAP(XX)                                                                           \
    XX(NOOP, 0, "noop")                                                                            \
    XX(WAIT, 1, "wait")                                                                            \
    XX(COMMAND, 2, "command")                                                                      \
    XX(CREATE_FILE, 3, "create_file")                                                              \
    XX(READ_FILE, 4, "read_file")                                                                  \
    XX(DELETE_FILE, 5, "delete_file")

typedef enum sw__kind {
#define SW__ENUM_VALUE(name, value, text) SW__KIND_##name = value,
    SW__KIND_MAP(SW__ENUM_VALUE)
#undef SW__ENUM_VALUE
        SW__KIND_COUNT = 6
} sw__kind;

/* Parameters of every kind, as read; those a kind does not have stay 0 or absent. Texts hold no
 * zero byte, and those in lists and maps are zero-terminated as they are. */
typedef struct sw__kind_parameters {
    int64_t wait_ms;      /* wait */
    sw_str command;       /* command: the program */
    const sw__node *args; /* command: list of texts, NULL when not given */
    sw_str working_dir;   /* command: absent when not given */
    const sw__node *env;  /* command: map of texts, NULL when not given */
    sw_str path;          /* create_file, read_file, delete_file */
    sw_str content;       /* create_file: "" when not given */
} sw__kind_parameters;

/* Number of the kind with this handler name, or SW_ENOTFOUND. */
int sw__kind_find(sw_str handler);
const char *sw__kind_name(int kind);
/* "noop, wait, ..." for messages. */
const char *sw__kind_list(void);

/* Whether node is the name of a handler: of a built-in kind, or with a dot. A finding when not. */
bool sw__handler_check(sw__findings *findings, const sw__path *path, const sw__node *node);

/* Check the parameters of a step of this kind and read them into *out. parameters is a map, or
 * NULL when there are none; line and column say where a missing one is missed. */
void sw__kind_check(sw__findings *findings, const sw__path *path, int kind,
                    const sw__node *parameters, int32_t line, int32_t column,
                    sw__kind_parameters *out);
/* Read parameters from their JSON text (absent: none); *out points into arena.
 * errors: SW_EDEFINITION (not JSON), SW_EINVAL with the first finding, SW_ELIMIT, SW_ENOMEM. */
int sw__kind_read(sw__arena *arena, int kind, sw_str parameters, sw__kind_parameters *out,
                  sw_error *err);

#endif
