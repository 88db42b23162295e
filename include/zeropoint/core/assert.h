// ZEROPOINT_ASSERT: a precondition that the caller broke.
//
// It does not depend on NDEBUG: one inline function must have one body in every
// translation unit that includes it.
#ifndef ZEROPOINT_CORE_ASSERT_H_
#define ZEROPOINT_CORE_ASSERT_H_

#include <cstdio>
#include <cstdlib>

namespace zeropoint {

/// Called with the broken condition and where it stands; must not return.
using AssertHook = void (*)(const char* condition, const char* message,
                            const char* file, int line);

/// Prints to standard error and aborts.
[[noreturn]] inline void AbortOnAssert(const char* condition,
                                       const char* message, const char* file,
                                       int line) {
  std::fprintf(stderr, "zeropoint: %s:%d: %s (%s)\n", file, line, message,
               condition);
  std::abort();
}

/// The hook in force; a host may set its own before it uses the library.
inline AssertHook& CurrentAssertHook() {
  static AssertHook hook = AbortOnAssert;
  return hook;
}

}  // namespace zeropoint

#define ZEROPOINT_ASSERT(condition, message)                             \
  (static_cast<bool>(condition)                                          \
       ? void()                                                          \
       : ::zeropoint::CurrentAssertHook()(#condition, message, __FILE__, \
                                          __LINE__))

#endif  // ZEROPOINT_CORE_ASSERT_H_
