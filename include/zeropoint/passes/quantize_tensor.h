// QuantizeConstant: a constant float tensor as codes with their scales and zero
// points.
#ifndef ZEROPOINT_PASSES_QUANTIZE_TENSOR_H_
#define ZEROPOINT_PASSES_QUANTIZE_TENSOR_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/tensor.h"

namespace zeropoint {

/// Codes of a tensor, and the parameters that turn them back.
struct QuantizedTensor {
  Tensor codes;  // the shape of the real tensor, in the scheme's storage type
  TensorQParams params;
};

/// How channels lie in a tensor: element (outer, channel, inner) is at
/// (outer * channels + channel) * inner_count + inner.
struct ChannelLayout {
  std::size_t outer_count = 1;
  std::size_t channels = 1;
  std::size_t inner_count = 1;

  ChannelLayout(std::span<const std::int64_t> dims, int axis) {
    for (std::size_t i = 0; i < dims.size(); ++i) {
      const auto size = static_cast<std::size_t>(dims[i]);
      if (axis == TensorQParams::kPerTensor || static_cast<int>(i) > axis) {
        inner_count *= size;
      } else if (static_cast<int>(i) < axis) {
        outer_count *= size;
      } else {
        channels = size;
      }
    }
  }

  /// Calls visit(channel, index) for each element in the order of memory.
  template <class Visitor>
  void ForEach(Visitor&& visit) const {
    std::size_t index = 0;
    for (std::size_t outer = 0; outer < outer_count; ++outer) {
      for (std::size_t channel = 0; channel < channels; ++channel) {
        for (std::size_t i = 0; i < inner_count; ++i) visit(channel, index++);
      }
    }
  }
};

/// Quantizes `real` with given parameters: codes[i] =
/// limit(round_half_even(x[i] / scale) + zero_point) to `codes`.
///
/// Shapes:   real any shape, float; params one, or one for each index of its
/// axis. Requires: scales above 0; codes within the storage type.
/// Errors:   kUnsupported for codes that are not 8- or 16-bit integers.
/// Source:   ONNX QuantizeLinear.
inline Result<Tensor> QuantizeWith(const TensorView& real,
                                   const TensorQParams& params,
                                   DataType storage, CodeRange codes) {
  const std::span<const float> x = real.As<float>();
  const ChannelLayout layout(real.dims(), params.axis);
  Tensor quantized(storage, Dims(real.dims().begin(), real.dims().end()));
  ZEROPOINT_RETURN_IF_ERROR(
      VisitDataType(storage, [&]<class Storage>() -> Status {
        if constexpr (std::is_integral_v<Storage> && sizeof(Storage) <= 2) {
          const std::span<Storage> q = quantized.template MutableAs<Storage>();
          layout.ForEach([&](std::size_t channel, std::size_t i) {
            q[i] = static_cast<Storage>(
                reference::Quantize(x[i], params.channels[channel], codes));
          });
          return Status();
        } else {
          return Unsupported("codes are 8- or 16-bit integers");
        }
      }));
  return quantized;
}

/// Quantizes `real` by the range of its own values: of the whole tensor (axis
/// kPerTensor) or of each index along `axis`.
///
/// Shapes:   real any shape, float.
/// Requires: axis within the rank, or kPerTensor; a scheme with 8- or 16-bit
/// storage. Errors:   kInvalidModel for NaN or infinite values. Source:   ONNX
/// QuantizeLinear.
inline Result<QuantizedTensor> QuantizeConstant(const TensorView& real,
                                                const SchemeSpec& scheme,
                                                int axis) {
  const std::span<const float> x = real.As<float>();
  const ChannelLayout layout(real.dims(), axis);
  const CodeRange codes{scheme.qmin, scheme.qmax};
  QuantizedTensor quantized;
  quantized.params.axis = axis;
  std::vector<RealRange> ranges(layout.channels);
  bool finite = true;
  layout.ForEach([&](std::size_t channel, std::size_t i) {
    RealRange& range = ranges[channel];
    range.lo = std::min(range.lo, x[i]);
    range.hi = std::max(range.hi, x[i]);
    finite = finite && x[i] - x[i] == 0.0f;
  });
  if (!finite) return InvalidModel("it holds NaN or infinite values");
  for (const RealRange& range : ranges) {
    quantized.params.channels.push_back(ChooseQParams(range, scheme));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(
      quantized.codes,
      QuantizeWith(real, quantized.params, scheme.storage, codes));
  return quantized;
}

/// The real values that the codes stand for.
inline Tensor DequantizeConstant(const QuantizedTensor& quantized) {
  const Tensor& codes = quantized.codes;
  Tensor real(DataType::kFloat, codes.dims());
  const std::span<float> x = real.MutableAs<float>();
  const ChannelLayout layout(codes.dims(), quantized.params.axis);
  const Status visited =
      VisitDataType(codes.type(), [&]<class Storage>() -> Status {
        if constexpr (std::is_integral_v<Storage> && sizeof(Storage) <= 2) {
          const std::span<const Storage> q = codes.As<Storage>();
          const std::vector<QParams>& params = quantized.params.channels;
          layout.ForEach([&](std::size_t channel, std::size_t i) {
            x[i] = reference::Dequantize(q[i], params[channel]);
          });
        }
        return Status();
      });
  ZEROPOINT_ASSERT(visited.ok(), "QuantizeConstant made the codes");
  return real;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_QUANTIZE_TENSOR_H_
