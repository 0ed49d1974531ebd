/* Signatures of control reports, for `audit check`. */
#ifndef STEPWELL_CLI_CONTROL_H
#define STEPWELL_CLI_CONTROL_H

#include "command.h"
#include "trust.h"

/* Whether the report that the call names is the one that --signature is of; an exit status. */
int cli_control_check(const cli_call *call, const cli_trust *trust);

#endif
