// A quantization scheme as a type: what is known when the program is compiled.
//
// A scheme says which integers stand for real values: their storage type,
// whether zero_point is free (asymmetric) or fixed (symmetric), how many
// (scale, zero_point) pairs a tensor has, and which integers are used. It holds
// no numbers: those are QParams (qparams.h). Types serve at the edge of the
// library, where a mistake becomes a compile error; inside, the same facts
// travel as plain data, SchemeSpec (scheme_spec.h), because none of them but
// the storage type changes machine code.
#ifndef ZEROPOINT_CORE_SCHEME_H_
#define ZEROPOINT_CORE_SCHEME_H_

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace zeropoint {

/// zero_point is fixed: 0 for signed storage, the middle code for unsigned.
struct Symmetric {};
/// zero_point is chosen so that the whole range is used.
struct Asymmetric {};

/// One (scale, zero_point) for the tensor.
struct PerTensor {};
/// The axis that the operator says: output channels of a weight
/// (graph/opset_facts.h).
inline constexpr int kOperatorAxis = std::numeric_limits<int>::min();
/// One (scale, zero_point) for each index along `kAxis`; a negative axis counts
/// from the last.
template <int Axis = kOperatorAxis>
struct PerChannel {
  static constexpr int kAxis = Axis;
};

/// Every code of the storage type.
struct FullRange {};
/// Signed storage without its lowest code (-127..127), so that negation is
/// exact.
struct NarrowRange {};

/// A storage type that Affine takes: uint8, int8, uint16, int16.
template <class T>
concept AffineStorage =
    std::same_as<T, std::uint8_t> || std::same_as<T, std::int8_t> ||
    std::same_as<T, std::uint16_t> || std::same_as<T, std::int16_t>;

namespace internal {
template <class T>
inline constexpr bool kIsPerChannel = false;
template <int Axis>
inline constexpr bool kIsPerChannel<PerChannel<Axis>> = true;
}  // namespace internal

/// real = scale * (code - zero_point), for codes in [kQMin, kQMax].
///
///   using Weights = Affine<std::int8_t, Symmetric, PerChannel<>, NarrowRange>;
///   using Activations = Affine<std::uint8_t>;
///
/// Source:  ONNX QuantizeLinear / DequantizeLinear.   Teaches:
/// docs/guide/affine.md
template <class StorageT, class SymmetryT = Asymmetric,
          class GranularityT = PerTensor, class RangeT = FullRange>
struct Affine {
  static_assert(AffineStorage<StorageT>,
                "zeropoint: Affine stores uint8_t, int8_t, uint16_t or "
                "int16_t; write Affine<std::uint8_t>");
  static_assert(std::same_as<SymmetryT, Symmetric> ||
                    std::same_as<SymmetryT, Asymmetric>,
                "zeropoint: the second argument of Affine is Symmetric or "
                "Asymmetric");
  static_assert(std::same_as<GranularityT, PerTensor> ||
                    internal::kIsPerChannel<GranularityT>,
                "zeropoint: the third argument of Affine is PerTensor or "
                "PerChannel<axis>");
  static_assert(std::same_as<RangeT, FullRange> ||
                    std::same_as<RangeT, NarrowRange>,
                "zeropoint: the fourth argument of Affine is FullRange or "
                "NarrowRange");
  static_assert(std::same_as<RangeT, FullRange> || std::is_signed_v<StorageT>,
                "zeropoint: NarrowRange leaves out the lowest code of a "
                "signed type; unsigned storage takes FullRange");

  using Storage = StorageT;
  using Symmetry = SymmetryT;
  using Granularity = GranularityT;
  using Range = RangeT;
  static constexpr std::int32_t kQMin =
      std::numeric_limits<StorageT>::min() +
      (std::same_as<RangeT, NarrowRange> ? 1 : 0);
  static constexpr std::int32_t kQMax = std::numeric_limits<StorageT>::max();
};

/// What every scheme has; Affine is the model to copy.
template <class S>
concept Scheme = requires {
  typename S::Storage;
  typename S::Symmetry;
  typename S::Granularity;
  { S::kQMin } -> std::convertible_to<std::int32_t>;
  { S::kQMax } -> std::convertible_to<std::int32_t>;
} && (S::kQMin < S::kQMax);

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_SCHEME_H_
