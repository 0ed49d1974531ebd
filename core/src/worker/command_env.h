/* What a command is given: arguments, environment, directory. Each returns NULL or -1 when it
 * cannot be given, and has then answered the attempt. */
#ifndef SW_WORKER_COMMAND_ENV_H
#define SW_WORKER_COMMAND_ENV_H

#include "worker/attempt.h"

/* The program's name and the arguments, NULL at the end; in the attempt's arena. */
const char **sw__command_argv(sw__attempt *attempt);
/* The variables that say which attempt this is, the allowed ones of this process, and those the
 * step declares, which win over inherited ones. */
const char **sw__command_envp(sw__attempt *attempt);
/* A descriptor (O_PATH) of the directory to work in, which lies below the root. */
int sw__command_directory(sw__attempt *attempt);

#endif
