/* Stepwell: a durable workflow engine. This header is the whole interface; it includes one header
 * per subject.
 *
 * Every function returns 0 (or a value, where it says so) or a negative sw_code, fills the
 * caller's sw_error last, and carries four tags: owns, threads, blocks, errors.
 */
#ifndef STEPWELL_H
#define STEPWELL_H

#include "stepwell/abi.h"
#include "stepwell/error.h"
#include "stepwell/types.h"
#include "stepwell/sys/env.h"
#include "stepwell/sys/log.h"
#include "stepwell/engine.h"
#include "stepwell/workflow.h"
#include "stepwell/graph.h"
#include "stepwell/task.h"
#include "stepwell/worker.h"
#include "stepwell/step.h"
#include "stepwell/ops.h"
#include "stepwell/dead.h"
#include "stepwell/breaker.h"
#include "stepwell/erase.h"
#include "stepwell/audit.h"
#include "stepwell/search.h"
#include "stepwell/event.h"
#include "stepwell/checkpoint.h"
#include "stepwell/proof.h"
#include "stepwell/export.h"
#include "stepwell/anchor.h"
#include "stepwell/task_file.h"
#include "stepwell/control.h"
#include "stepwell/forecast.h"
#include "stepwell/runner.h"
#include "stepwell/picture.h"

#endif
