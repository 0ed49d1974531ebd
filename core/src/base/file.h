/* Small files as a whole: read, and written so that a crash leaves the old content or the new one.
 *
 * Messages name the path and what the system said. */
#ifndef SW_BASE_FILE_H
#define SW_BASE_FILE_H

#include <sys/types.h>

#include "base/buf.h"
#include "stepwell/error.h"

/* Append all of an open file, at most max bytes. SW_ELIMIT, SW_EIO, SW_ENOMEM. */
int sw__file_read_fd(int fd, const char *path, size_t max, sw__buf *out, sw_error *err);
/* The same of the file at a path; also SW_ENOTFOUND, SW_EACCESS. */
int sw__file_read(const char *path, size_t max, sw__buf *out, sw_error *err);
/* A new file with this content, on disk when it returns; SW_ECONFLICT when there is one. */
int sw__file_create(const char *path, mode_t mode, sw_str content, sw_error *err);
/* Replace the content of the file at a path, or make it; the same. */
int sw__file_replace(const sw_env *env, const char *path, mode_t mode, sw_str content,
                     sw_error *err);
/* Add a line to the end of a file, which is made when it is not there: one write, so that two at a
 * time do not mix, on disk when it returns. SW_EFULL when a part of it was taken only. */
int sw__file_append(const char *path, mode_t mode, sw_str line, sw_error *err);
/* Write a file that can be made again: not synced, and cut off when the machine stops. */
int sw__file_write(const char *path, mode_t mode, sw_str content, sw_error *err);
/* The error for an errno of a call about a file. */
int sw__file_fail(sw_error *err, const char *doing, const char *path, int error);

#endif
