/* nbq: runs an integer network from an .nbq file on this computer's CPU. Plain C99; nbq.hpp puts
 * C++20 on top.
 *
 * The ABI is stable: functions are never changed or removed, structs begin with their size, and new
 * fields are only appended to them.
 *
 * Errors: a function that returns int gives NBQ_OK or another nbq_status, and nbq_last_error() says
 * what was wrong with what, and what to do. No exception leaves the library, and NULL where
 * something is needed is an error, too.
 *
 * Threads: a model may be used by any number of threads at a time; nbq_options.contexts of the
 * calls run side by side, further ones wait. Only nbq_model_free() must be the last call. */
#ifndef NBQ_NBQ_H
#define NBQ_NBQ_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NBQ_API __attribute__((visibility("default")))
#else
#define NBQ_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nbq_status {
  NBQ_OK = 0,
  NBQ_BAD_ARGUMENT = 1, /* the call makes no sense: sizes, options, NULL, a pixel that is no number,
                           a model that is not an integer network, more threads than there are */
  NBQ_BAD_FILE = 2,     /* the model is missing, damaged, truncated or of another version */
  NBQ_OVERFLOW = 3,     /* the model's sums could exceed their width */
  NBQ_UNSUPPORTED = 4,  /* sound, but not on this processor or in this build */
  NBQ_IO = 5,           /* the file could not be read */
  NBQ_OUT_OF_MEMORY = 6, /* fewer contexts, threads or a smaller max_batch need less */
  NBQ_INTERNAL = 7       /* a bug in nbq */
} nbq_status;

/* A network that is ready to run. */
typedef struct nbq_model nbq_model;

typedef struct nbq_options {
  uint32_t struct_size; /* bytes, set by nbq_options_init() */
  int32_t threads;      /* that share one call's work, 1..256; 0: one a core */
  int32_t max_batch;    /* images that a call usually brings, 1..65536: a hint, more work, too */
  int32_t contexts;     /* calls that run side by side, 1..1024, each with threads and memory of its
                           own */
  const char* isa;      /* the instruction set's kernels, such as "portable"; NULL: the environment
                           variable NBQ_ISA, or the best that this processor has. Not kept. */
} nbq_options;

/* threads 1, max_batch 1, contexts 1, isa NULL. NULL is let pass. */
NBQ_API void nbq_options_init(nbq_options* options);

typedef struct nbq_info {
  uint32_t struct_size; /* bytes, set by the caller before the call */
  int32_t channels;     /* of an image */
  int32_t height;
  int32_t width;
  int32_t outputs;       /* logits an image: usually the number of classes */
  int32_t logit_exp;     /* a logit stands for logit * 2^logit_exp */
  int32_t max_batch;     /* as in the options */
  int32_t threads;       /* a call's, never 0 */
  uint64_t weight_bytes; /* weights in memory */
  uint64_t arena_bytes;  /* activations in memory, a context */
  const char* isa;       /* whose kernels run; lives as long as the model */
} nbq_info;

/* Reads, verifies and plans a model; all memory that runs need is taken here. `options`: NULL for
 * nbq_options_init()'s. On an error *model is NULL. */
NBQ_API int nbq_model_load(const char* path, const nbq_options* options, nbq_model** model);

/* The same from an .nbq file's bytes, aligned or not, which may go after the call. */
NBQ_API int nbq_model_load_memory(const void* bytes, size_t size, const nbq_options* options,
                                  nbq_model** model);

/* After the last call with this model. NULL is let pass. */
NBQ_API void nbq_model_free(nbq_model* model);

/* Fills in as much as info->struct_size allows; bytes that this library doesn't know become 0. */
NBQ_API int nbq_model_info(const nbq_model* model, nbq_info* info);

/* Runs n >= 1 images.
 * pixels: n x channels x height x width bytes; pixel_bytes: their number.
 * logits: n x outputs, row after row; logit_count: their number.
 * The integers are the same whatever the options. Allocates nothing. On an error logits are left as
 * they were. */
NBQ_API int nbq_model_run(nbq_model* model, const uint8_t* pixels, size_t pixel_bytes, int32_t n,
                          int64_t* logits, size_t logit_count);

/* The same with pixels as floats 0..1, each rounded to the nearest byte / 255; another value, or
 * one that is no number, is an error that names image, channel, row and column. scores: n x
 * outputs, logit * 2^logit_exp, rounded to float. On an error they are left as they were. */
NBQ_API int nbq_model_run_float(nbq_model* model, const float* pixels, size_t pixel_count,
                                int32_t n, float* scores, size_t score_count);

/* The name of output `index`, which lives as long as the model; NULL: the model has no names, or no
 * such output (nbq_last_error() says which). */
NBQ_API const char* nbq_class_name(const nbq_model* model, int32_t index);

/* Why this thread's last call that failed did so, in UTF-8; "" if none has. Valid until another
 * call of this thread fails. */
NBQ_API const char* nbq_last_error(void);

/* The library's version, such as "0.1.0". */
NBQ_API const char* nbq_version(void);

#ifdef __cplusplus
}
#endif

#endif
