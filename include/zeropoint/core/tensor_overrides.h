// TensorOverrides: what a user fixes for single tensors, by name.
//
// The layout is that of ONNX Runtime's TensorQuantOverrides, so that one file
// serves both; data/read_tensor_overrides.h reads it.
#ifndef ZEROPOINT_CORE_TENSOR_OVERRIDES_H_
#define ZEROPOINT_CORE_TENSOR_OVERRIDES_H_

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/data_type.h"
#include "zeropoint/core/half.h"
#include "zeropoint/core/qparams.h"
#include "zeropoint/core/scheme_spec.h"

namespace zeropoint {

/// What is fixed; the rest stays as it would be.
struct QuantizationOverride {
  std::optional<DataType> quant_type = {};
  std::optional<bool> symmetric = {};
  /// One bit less of the codes, for weights: see ReducedCodeRange.
  bool reduce_range = false;
  std::optional<float> rmin = {};
  std::optional<float> rmax = {};
  /// Scale and zero point; excludes symmetric, reduce_range, rmin and rmax.
  std::optional<QParams> params = {};
};

/// The tensor is quantized once more, to another type, for some readers.
struct ConversionOverride {
  QuantizationOverride to;
  /// Names of nodes; empty: all that read the tensor quantized.
  std::vector<std::string> receivers;
};

/// All that is fixed for one tensor.
struct TensorOverride {
  /// One for the whole tensor, or one for each index along `axis`.
  std::vector<QuantizationOverride> channels;
  std::optional<int> axis;
  std::optional<ConversionOverride> conversion;

  /// What holds for channel `i`.
  const QuantizationOverride& at(std::size_t i) const {
    return channels[std::min(i, channels.size() - 1)];
  }
};

/// By the tensor's name.
using TensorOverrides = std::map<std::string, TensorOverride, std::less<>>;

/// The codes that are left with one bit less: 0..127 of uint8, -64..64 of int8,
/// so that on CPUs that add pairs of products in 16 bits no sum saturates.
constexpr std::optional<CodeRange> ReducedCodeRange(DataType storage) {
  switch (storage) {
    case DataType::kUint8:
      return CodeRange{0, 127};
    case DataType::kInt8:
      return CodeRange{-64, 64};
    case DataType::kUint16:
      return CodeRange{0, 32767};
    case DataType::kInt16:
      return CodeRange{-16384, 16384};
    case DataType::kUint4:
      return CodeRange{0, 7};
    case DataType::kInt4:
      return CodeRange{-4, 3};
    default:
      return std::nullopt;
  }
}

/// `scheme` with what `fixed` says of type, symmetry and codes. Another type
/// comes with all its codes.
inline SchemeSpec OverrideScheme(SchemeSpec scheme,
                                 const QuantizationOverride& fixed) {
  if (fixed.quant_type && *fixed.quant_type != scheme.storage) {
    scheme.storage = *fixed.quant_type;
    const CodeRange full = FullCodeRange(scheme.storage).value_or(CodeRange{});
    scheme.qmin = full.qmin;
    scheme.qmax = full.qmax;
  }
  if (fixed.symmetric) scheme.symmetric = *fixed.symmetric;
  if (fixed.reduce_range) {
    if (const auto reduced = ReducedCodeRange(scheme.storage)) {
      scheme.qmin = reduced->qmin;
      scheme.qmax = reduced->qmax;
    }
  }
  return scheme;
}

/// `range` with the ends that `fixed` says; the other end gives way where they
/// would cross.
inline RealRange OverrideRange(RealRange range,
                               const QuantizationOverride& fixed) {
  if (fixed.rmin) range = {*fixed.rmin, std::max(range.hi, *fixed.rmin)};
  if (fixed.rmax) range = {std::min(range.lo, *fixed.rmax), *fixed.rmax};
  return range;
}

/// The parameters for values in `range` under `scheme`, or those that `fixed`
/// says.
inline QParams OverrideParams(const RealRange& range, const SchemeSpec& scheme,
                              const QuantizationOverride& fixed) {
  if (!fixed.params) return ChooseQParams(OverrideRange(range, fixed), scheme);
  return {StoredScale(fixed.params->scale, scheme.scale_type),
          fixed.params->zero_point};
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_TENSOR_OVERRIDES_H_
