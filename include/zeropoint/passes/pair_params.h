// PairParams: the numbers of a QuantizeLinear or DequantizeLinear node.
#ifndef ZEROPOINT_PASSES_PAIR_PARAMS_H_
#define ZEROPOINT_PASSES_PAIR_PARAMS_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "zeropoint/core/qparams.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/real_constants.h"

namespace zeropoint::internal {

/// Constant parameters and the type of the codes.
struct PairParams {
  TensorQParams params;  // an axis below 0 counts from the end
  bool per_tensor = true;
  DataType storage = DataType::kUint8;
  /// Also of the reals.
  DataType scale_type = DataType::kFloat;

  friend bool operator==(const PairParams& a, const PairParams& b) {
    return a.params.channels == b.params.channels && a.storage == b.storage &&
           a.per_tensor == b.per_tensor && a.scale_type == b.scale_type &&
           (a.per_tensor || a.params.axis == b.params.axis);
  }
};

/// Nothing unless the scale is a constant real above 0, one or one a channel,
/// and the zero point is constant 8-, 16- or 32-bit integers or left out.
inline std::optional<PairParams> PairParamsOf(const GraphView& graph,
                                              NodeId node) {
  const onnx::NodeProto& proto = graph.node(node);
  const bool quantizes = proto.op_type() == "QuantizeLinear";
  if (GetInt(proto, "block_size", 0) != 0) return std::nullopt;
  if (!graph.IsConstant(graph.input(node, 1))) return std::nullopt;
  const Result<Tensor> scale = RealConstant(graph, graph.input(node, 1));
  if (!scale.ok() || scale->rank() > 1 || scale->size() == 0) {
    return std::nullopt;
  }
  PairParams pair;
  pair.scale_type = graph.element_type(graph.input(node, 1));
  pair.per_tensor = scale->size() == 1;
  if (!pair.per_tensor) {
    pair.params.axis = static_cast<int>(GetInt(proto, "axis", 1));
  }
  for (const float each : scale->As<float>()) {
    if (!(each > 0.0f) || !std::isfinite(each)) return std::nullopt;
    pair.params.channels.push_back({each, 0});
  }
  const ValueId zero_value = graph.input(node, 2);
  if (zero_value == kNoValue) {
    const auto stated = static_cast<DataType>(GetInt(proto, "output_dtype", 0));
    pair.storage = !quantizes ? graph.element_type(graph.input(node, 0))
                   : stated != DataType::kUndefined ? stated
                                                    : DataType::kUint8;
    return pair;
  }
  if (!graph.IsConstant(zero_value)) return std::nullopt;
  const Result<Tensor> zero = graph.Constant(zero_value);
  if (!zero.ok() || zero->size() != scale->size()) return std::nullopt;
  pair.storage = zero->type();
  const Status read =
      VisitDataType(zero->type(), [&]<class Storage>() -> Status {
        if constexpr (std::is_integral_v<Storage> && sizeof(Storage) <= 4 &&
                      !std::is_same_v<Storage, std::uint32_t> &&
                      !std::is_same_v<Storage, bool>) {
          const auto zeros = zero->template As<Storage>();
          for (std::size_t i = 0; i < zeros.size(); ++i) {
            pair.params.channels[i].zero_point =
                static_cast<std::int32_t>(zeros[i]);
          }
          return Status();
        } else {
          return Unsupported("not a code");
        }
      });
  if (!read.ok()) return std::nullopt;
  return pair;
}

/// The parameters of the DequantizeLinear that makes `value`, if one does.
inline std::optional<PairParams> DequantizedBy(const GraphView& graph,
                                               ValueId value) {
  const NodeId node = ProducerIfOp(graph, value, "DequantizeLinear");
  return node == kNoNode ? std::nullopt : PairParamsOf(graph, node);
}

/// The bounds of a Clip of codes; nothing when they are not constant, or empty.
inline std::optional<CodeRange> ClippedCodes(const GraphView& graph,
                                             NodeId clip, DataType storage) {
  std::optional<CodeRange> codes = FullCodeRange(storage);
  for (const std::size_t i : {1u, 2u}) {
    const ValueId bound = graph.input(clip, i);
    if (bound == kNoValue || !codes) continue;
    if (!graph.IsConstant(bound)) return std::nullopt;
    const Result<Tensor> value = graph.Constant(bound);
    if (!value.ok() || value->type() != storage || value->size() != 1) {
      return std::nullopt;
    }
    const Status read = VisitDataType(storage, [&]<class Storage>() -> Status {
      if constexpr (std::is_integral_v<Storage> && sizeof(Storage) <= 2) {
        const auto code =
            static_cast<std::int32_t>(value->template As<Storage>()[0]);
        (i == 1 ? codes->qmin : codes->qmax) = code;
      }
      return Status();
    });
    if (!read.ok()) return std::nullopt;
  }
  if (codes && codes->qmin > codes->qmax) return std::nullopt;
  return codes;
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_PAIR_PARAMS_H_
