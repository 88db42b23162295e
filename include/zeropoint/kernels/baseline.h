// ZEROPOINT_BASELINE: a namespace named after the compiler flags.
//
// Highway gives each CPU target a namespace and lets the compiler use, in it,
// everything that the flags of the translation unit allow anyway. So two units
// built with different -m flags compile different machine code for the same
// N_SSE4 function, and the linker keeps one of them: the wrong one, perhaps,
// for the machine that runs it. Everything in this layer whose body depends on
// flags therefore lives in this inline namespace, and units with different
// flags link side by side.
#ifndef ZEROPOINT_KERNELS_BASELINE_H_
#define ZEROPOINT_KERNELS_BASELINE_H_

#if defined(__AVX512F__)
#define ZEROPOINT_BASELINE baseline_avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define ZEROPOINT_BASELINE baseline_avx2_fma
#elif defined(__AVX2__)
#define ZEROPOINT_BASELINE baseline_avx2
#elif defined(__AVX__)
#define ZEROPOINT_BASELINE baseline_avx
#elif defined(__SSE4_1__)
#define ZEROPOINT_BASELINE baseline_sse4
#elif defined(__SSSE3__)
#define ZEROPOINT_BASELINE baseline_ssse3
#else
#define ZEROPOINT_BASELINE baseline_none
#endif

#endif  // ZEROPOINT_KERNELS_BASELINE_H_
