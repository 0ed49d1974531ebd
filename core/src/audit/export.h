/* Writing the log as a folder, and verifying such a folder (tiles.h). */
#ifndef SW_AUDIT_EXPORT_H
#define SW_AUDIT_EXPORT_H

#include "audit/tiles.h"
#include "base/arena.h"
#include "store/store.h"
#include "stepwell/export.h"

/* Inside a read transaction. errors: those of sw_audit_export. */
int sw__export_write(sw__store *store, sw__hasher *hasher, const sw_env *env, const char *folder,
                     sw_str checkpoint, sw_error *err);
/* jobs: at least 1. errors: those of sw_audit_verify_export. */
int sw__export_verify(const sw_env *env, sw__hasher *hasher, const char *folder,
                      const sw_audit_trust *trust, int32_t jobs, sw_audit_report *report,
                      sw_error *err);

#endif
