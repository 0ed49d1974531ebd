/* Checkpoints and verifier keys that a command is told to trust. */
#ifndef STEPWELL_CLI_TRUST_H
#define STEPWELL_CLI_TRUST_H

#include <stepwell.h>

#include "command.h"

typedef struct cli_trust {
    sw_audit_trust given; /* no checkpoints when none are given */
    char **texts;         /* what the strings of given point into */
    size_t text_count;
    sw_audit_anchor *anchors;
    sw_result **results; /* what the anchors point into */
} cli_trust;

/* Read what --checkpoint and --vkey name. Prints what is wrong and returns an exit status, 0 when
 * all is well; close in any case. */
int cli_trust_read(cli_trust *trust, const cli_call *call);
/* Read the newest anchors of the log from where --anchor says; behind the others. */
int cli_trust_anchors(cli_trust *trust, const cli_call *call);
/* The same, where either is worth nothing without the other. */
int cli_trust_open(cli_trust *trust, const cli_call *call);
void cli_trust_close(cli_trust *trust);

#endif
