// The limits of everything that multiplies: floats, and codes of 8 bits.
#ifndef ZEROPOINT_BENCH_KERNELS_FMA_PEAK_H_
#define ZEROPOINT_BENCH_KERNELS_FMA_PEAK_H_

#include <cstddef>

namespace zeropoint::bench {

/// Does about `steps` float multiply-adds in registers, with the best vectors
/// of this CPU; returns how many.
std::size_t RunMultiplyAdds(std::size_t steps);

/// The same of exact products of codes, summed in int32: one tile of the
/// integer kernels, all of whose operands stay in the first-level cache. (A
/// loop in registers alone is slower here: compilers run out of them.)
std::size_t RunCodeMultiplyAdds(std::size_t steps);

}  // namespace zeropoint::bench

#endif  // ZEROPOINT_BENCH_KERNELS_FMA_PEAK_H_
