#pragma once

/// NBQ_SANITIZED: whether this is built with the address or the thread sanitizer, which need
/// address space, wrap the allocator, and start before ifuncs are resolved.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // GCC
#define NBQ_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NBQ_SANITIZED 1
#endif
#endif
#ifndef NBQ_SANITIZED
#define NBQ_SANITIZED 0
#endif
