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

/// The steps from one index of `axis` to the next and from one outer index to
/// the next, for walking a tensor channel by channel: element (outer, channel,
/// inner) is at (outer * channels + channel) * inner_count + inner.
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

  /// Calls visit(index) for each element of `channel`.
  template <class Visitor>
  void ForEach(std::size_t channel, Visitor&& visit) const {
    for (std::size_t outer = 0; outer < outer_count; ++outer) {
      const std::size_t begin = (outer * channels + channel) * inner_count;
      for (std::size_t i = begin; i < begin + inner_count; ++i) visit(i);
    }
  }
};

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
  quantized.codes =
      Tensor(scheme.storage, Dims(real.dims().begin(), real.dims().end()));
  quantized.params.axis = axis;
  for (std::size_t channel = 0; channel < layout.channels; ++channel) {
    RealRange range{};
    bool finite = true;
    layout.ForEach(channel, [&](std::size_t i) {
      range.lo = std::min(range.lo, x[i]);
      range.hi = std::max(range.hi, x[i]);
      finite = finite && x[i] - x[i] == 0.0f;
    });
    if (!finite) return InvalidModel("it holds NaN or infinite values");
    quantized.params.channels.push_back(ChooseQParams(range, scheme));
  }
  ZEROPOINT_RETURN_IF_ERROR(
      VisitDataType(scheme.storage, [&]<class Storage>() -> Status {
        if constexpr (std::is_integral_v<Storage> && sizeof(Storage) <= 2) {
          const std::span<Storage> q =
              quantized.codes.template MutableAs<Storage>();
          for (std::size_t c = 0; c < layout.channels; ++c) {
            const QParams& params = quantized.params.channels[c];
            layout.ForEach(c, [&](std::size_t i) {
              q[i] = static_cast<Storage>(
                  reference::Quantize(x[i], params, codes));
            });
          }
          return Status();
        } else {
          return Unsupported("codes are 8- or 16-bit integers");
        }
      }));
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
          for (std::size_t c = 0; c < layout.channels; ++c) {
            const QParams& params = quantized.params.channels[c];
            layout.ForEach(c, [&](std::size_t i) {
              x[i] = reference::Dequantize(q[i], params);
            });
          }
        }
        return Status();
      });
  ZEROPOINT_ASSERT(visited.ok(), "QuantizeConstant made the codes");
  return real;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_QUANTIZE_TENSOR_H_
