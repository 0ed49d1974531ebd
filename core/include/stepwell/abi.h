/* Visibility and version of the stepwell C interface.
 *
 * Not here: any type or function. Defining SW_EMBEDDED hides every symbol; the Ruby gem and the
 * Python wheel do so, so that two copies of the engine can live in one process.
 */
#ifndef STEPWELL_ABI_H
#define STEPWELL_ABI_H

#if defined(SW_EMBEDDED)
#define SW_API __attribute__((visibility("hidden")))
#else
#define SW_API __attribute__((visibility("default")))
#endif

#define SW_VERSION_MAJOR 0
#define SW_VERSION_MINOR 1
#define SW_VERSION_PATCH 0
#define SW_VERSION "0.1.0"

#ifdef __cplusplus
#define SW_BEGIN_DECLS extern "C" {
#define SW_END_DECLS }
#else
#define SW_BEGIN_DECLS
#define SW_END_DECLS
#endif

SW_BEGIN_DECLS

/* Version of the library that is linked, as "major.minor.patch".
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_version(void);

SW_END_DECLS

#endif
