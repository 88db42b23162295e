// Every kernel, for a translation unit that owns Highway's slot: include it
// where Highway's foreach_target.h compiles once a target, next to the unit's
// own SIMD code, and dispatch_tables.h once after it. See docs/simd.md.
//
// No include guard: each file below has its own, which opens again for each
// target.
#include "zeropoint/kernels/table-inl.h"
