/* A document for tests of readers: text in, tree and an empty list of findings out. */
#ifndef HELPER_DOCUMENTS_H
#define HELPER_DOCUMENTS_H

#include "base/node.h"
#include "model/findings.h"

typedef struct document {
    sw__arena *arena;
    sw__node *root;
    sw__findings findings;
} document;

/* text is YAML. Fails the running test when it is not well-formed. */
void document_open(document *doc, const char *text);
void document_close(document *doc);

/* The findings one after the other, each as "line:column path: message\n", warnings with "warning:
 * " before the message. Borrowed until the document is closed. */
const char *document_findings(document *doc);

#endif
