#pragma once
#include "core/sanitizer.h"

/// NBQ_CLONES before a function makes clones of it for wider vectors, one of which is chosen when
/// the program starts. Sanitizers instrument the chooser before they are ready, so they get the
/// plain function. Everything that the function's loops call must be inlined into it.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !NBQ_SANITIZED
#define NBQ_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define NBQ_CLONES
#endif
