/* Definitions for tests: loaded from text through the public call, with all findings as one text.
 */
#ifndef HELPER_DEFINITIONS_H
#define HELPER_DEFINITIONS_H

#include "stepwell/workflow.h"

/* Load text as "w.yaml", which is JSON when it starts with {" and YAML otherwise; fails the running
 * test when there is any finding. */
sw_workflow *definition_load(const char *text);
/* Fails the running test unless loading answers code and exactly these findings, each as
 * "line:column path: message\n", warnings with "warning: " before the message. */
void definition_expect(const char *text, int strict, int code, const char *findings);

#endif
