// The limit of everything that multiplies floats.
#ifndef ZEROPOINT_BENCH_KERNELS_FMA_PEAK_H_
#define ZEROPOINT_BENCH_KERNELS_FMA_PEAK_H_

#include <cstddef>

namespace zeropoint::bench {

/// Does about `steps` float multiply-adds in registers, with the best vectors
/// of this CPU; returns how many.
std::size_t RunMultiplyAdds(std::size_t steps);

}  // namespace zeropoint::bench

#endif  // ZEROPOINT_BENCH_KERNELS_FMA_PEAK_H_
