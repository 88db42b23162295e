// QuantizeConstant: a constant float tensor as codes with their scales and zero
// points.
#ifndef ZEROPOINT_PASSES_QUANTIZE_TENSOR_H_
#define ZEROPOINT_PASSES_QUANTIZE_TENSOR_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/packed_codes.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_overrides.h"

namespace zeropoint {

/// Codes of a tensor, and the parameters that turn them back.
struct QuantizedTensor {
  /// The shape of the real tensor, one code an element: in the scheme's storage
  /// type, or in 8 bits where that has 4. See StoredCodes.
  Tensor codes;
  TensorQParams params;
};

/// How channels lie in a tensor: element (outer, channel, inner) is at
/// (outer * length + channel) * inner_count + inner. With blocks, a "channel"
/// is what has one scale: `block` elements along the axis.
struct ChannelLayout {
  std::size_t outer_count = 1;
  std::size_t length = 1;  // of the axis
  std::size_t inner_count = 1;
  std::size_t block = 0;
  /// How many scales there are.
  std::size_t channels = 1;

  ChannelLayout(std::span<const std::int64_t> dims, int axis,
                std::int64_t block_size = 0)
      : block(static_cast<std::size_t>(block_size)) {
    for (std::size_t i = 0; i < dims.size(); ++i) {
      const auto size = static_cast<std::size_t>(dims[i]);
      if (axis == TensorQParams::kPerTensor || static_cast<int>(i) > axis) {
        inner_count *= size;
      } else if (static_cast<int>(i) < axis) {
        outer_count *= size;
      } else {
        length = size;
      }
    }
    channels = block == 0 ? length : outer_count * blocks() * inner_count;
  }

  /// Along the axis; the last may be short.
  std::size_t blocks() const { return (length + block - 1) / block; }

  /// Calls visit(channel, index) for each element in the order of memory.
  template <class Visitor>
  void ForEach(Visitor&& visit) const {
    std::size_t index = 0;
    for (std::size_t outer = 0; outer < outer_count; ++outer) {
      for (std::size_t at = 0; at < length; ++at) {
        if (block == 0) {
          for (std::size_t i = 0; i < inner_count; ++i) visit(at, index++);
        } else {
          const std::size_t row = (outer * blocks() + at / block) * inner_count;
          for (std::size_t i = 0; i < inner_count; ++i) {
            visit(row + i, index++);
          }
        }
      }
    }
  }
};

/// The type in which codes are handled one by one: that of the storage, or 8
/// bits where two share a byte.
constexpr DataType UnpackedType(DataType storage) {
  if (storage == DataType::kInt4) return DataType::kInt8;
  if (storage == DataType::kUint4) return DataType::kUint8;
  return storage;
}

/// `codes` as the model stores them: 4-bit ones packed, others as they are.
inline Tensor StoredCodes(const Tensor& codes, DataType storage) {
  if (UnpackedType(storage) == storage) return codes.Clone();
  Tensor packed(storage, codes.dims());
  const std::span<std::uint8_t> bytes(
      static_cast<std::uint8_t*>(packed.mutable_data()), packed.bytes());
  if (storage == DataType::kInt4) {
    PackNibbles<std::int8_t>(codes.As<std::int8_t>(), bytes);
  } else {
    PackNibbles<std::uint8_t>(codes.As<std::uint8_t>(), bytes);
  }
  return packed;
}

/// Quantizes `real` with given parameters: codes[i] =
/// limit(round_half_even(x[i] / scale) + zero_point) to `codes`, in
/// UnpackedType(storage).
///
/// Shapes:   real any shape, float; params one, one for each index of its axis,
/// or one for each block. Requires: scales above 0; codes within the storage
/// type. Errors:   kUnsupported for codes that are not 4-, 8- or 16-bit
/// integers. Source:   ONNX QuantizeLinear.
inline Result<Tensor> QuantizeWith(const TensorView& real,
                                   const TensorQParams& params,
                                   DataType storage, CodeRange codes) {
  const std::span<const float> x = real.As<float>();
  const ChannelLayout layout(real.dims(), params.axis, params.block);
  Tensor quantized(UnpackedType(storage),
                   Dims(real.dims().begin(), real.dims().end()));
  ZEROPOINT_RETURN_IF_ERROR(
      VisitDataType(quantized.type(), [&]<class Storage>() -> Status {
        if constexpr (std::is_integral_v<Storage> && sizeof(Storage) <= 2) {
          const std::span<Storage> q = quantized.template MutableAs<Storage>();
          layout.ForEach([&](std::size_t channel, std::size_t i) {
            q[i] = static_cast<Storage>(
                reference::Quantize(x[i], params.channels[channel], codes));
          });
          return Status();
        } else {
          return Unsupported("codes are 4-, 8- or 16-bit integers");
        }
      }));
  return quantized;
}

/// Quantizes `real` by the range of its own values: of the whole tensor (axis
/// kPerTensor), of each index along `axis`, or, with scheme.block, of each
/// block along it. What `fixed` says of a channel holds in place of its range.
///
/// Shapes:   real any shape, float.
/// Requires: axis within the rank, or kPerTensor and no block; a scheme with
/// 4-, 8- or 16-bit storage. Errors:   kInvalidModel for NaN or infinite
/// values. Source:   ONNX QuantizeLinear.
inline Result<QuantizedTensor> QuantizeConstant(
    const TensorView& real, const SchemeSpec& scheme, int axis,
    const TensorOverride* fixed = nullptr) {
  const std::span<const float> x = real.As<float>();
  const ChannelLayout layout(real.dims(), axis, scheme.block);
  const CodeRange codes{scheme.qmin, scheme.qmax};
  QuantizedTensor quantized;
  quantized.params.axis = axis;
  quantized.params.block = scheme.block;
  if (scheme.block > 0) {
    quantized.params.block_dims.assign(real.dims().begin(), real.dims().end());
    quantized.params.block_dims[static_cast<std::size_t>(axis)] =
        static_cast<std::int64_t>(layout.blocks());
  }
  std::vector<RealRange> ranges(layout.channels);
  bool finite = true;
  layout.ForEach([&](std::size_t channel, std::size_t i) {
    RealRange& range = ranges[channel];
    range.lo = std::min(range.lo, x[i]);
    range.hi = std::max(range.hi, x[i]);
    finite = finite && x[i] - x[i] == 0.0f;
  });
  if (!finite) return InvalidModel("it holds NaN or infinite values");
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    quantized.params.channels.push_back(
        fixed == nullptr ? ChooseQParams(ranges[i], scheme)
                         : OverrideParams(ranges[i], scheme, fixed->at(i)));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(
      quantized.codes,
      QuantizeWith(real, quantized.params, scheme.storage, codes));
  return quantized;
}

/// The real values that the codes stand for; also of an int32 bias.
inline Tensor DequantizeConstant(const QuantizedTensor& quantized) {
  const Tensor& codes = quantized.codes;
  Tensor real(DataType::kFloat, codes.dims());
  const std::span<float> x = real.MutableAs<float>();
  const ChannelLayout layout(codes.dims(), quantized.params.axis,
                             quantized.params.block);
  const Status visited =
      VisitDataType(codes.type(), [&]<class Storage>() -> Status {
        if constexpr (std::is_integral_v<Storage> &&
                      (sizeof(Storage) <= 2 ||
                       std::is_same_v<Storage, std::int32_t>)) {
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
