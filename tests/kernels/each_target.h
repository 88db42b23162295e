// Runs a check with the kernels of every CPU target that was compiled and that
// this machine has.
#ifndef ZEROPOINT_TESTS_KERNELS_EACH_TARGET_H_
#define ZEROPOINT_TESTS_KERNELS_EACH_TARGET_H_

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <random>
#include <vector>

#include "hwy/targets.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint::test {

template <class F>
void ForEachTarget(F check) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    const KernelTable& kernels = DispatchedKernels();
    BOOST_TEST_CONTEXT("target " << kernels.target) { check(kernels); }
  }
  hwy::SetSupportedTargetsForTest(0);
}

/// The same, then with `own`: a method that no CPU of this machine has.
template <class F>
void ForEachTargetAnd(const KernelTable& own, F check) {
  ForEachTarget(check);
  BOOST_TEST_CONTEXT("target " << own.target) { check(own); }
}

/// `count` values, uniform in [lo, hi), the same in every run.
inline std::vector<float> RandomFloats(std::size_t count, float lo, float hi,
                                       unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(lo, hi);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(engine);
  return values;
}

}  // namespace zeropoint::test

#endif  // ZEROPOINT_TESTS_KERNELS_EACH_TARGET_H_
