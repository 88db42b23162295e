// The two nodes of a pair and their parameters, as initializers.
#ifndef ZEROPOINT_PASSES_QDQ_NODES_H_
#define ZEROPOINT_PASSES_QDQ_NODES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/qparams.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/core/tensor_overrides.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/opset_facts.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/quantize_tensor.h"

namespace zeropoint {

/// The scale and zero point of a tensor in the graph.
struct QdqParams {
  ValueId scale = kNoValue;
  ValueId zero_point = kNoValue;
  int axis = TensorQParams::kPerTensor;
  std::int64_t block = 0;
};

/// The version of the default operator set that has Q/DQ nodes of `scheme`.
inline std::int64_t FirstOpsetWith(const SchemeSpec& scheme) {
  const std::int64_t opset = IsHalf(scheme.scale_type)
                                 ? kFirstOpsetWithHalfQuantization
                                 : kFirstOpsetWithQuantizationAxis;
  return BitsOf(scheme.storage) == 8 && scheme.block == 0
             ? opset
             : kFirstOpsetWith16BitQuantization;
}

/// Whether the model computes in float16 or bfloat16 somewhere, as far as it
/// says of its inputs, constants and casts.
inline bool HoldsHalf(const GraphView& graph) {
  for (std::size_t i = 0; i < graph.value_count(); ++i) {
    if (IsHalf(graph.element_type(static_cast<ValueId>(i)))) return true;
  }
  for (const NodeId cast : graph.nodes_of_type("Cast")) {
    if (IsHalf(static_cast<DataType>(GetInt(graph.node(cast), "to", 0)))) {
      return true;
    }
  }
  return false;
}

/// The same for all schemes of a target and of `overrides`, in a model that
/// has `half` precision somewhere or has not.
inline std::int64_t FirstOpsetWith(const TargetSpec& target,
                                   const TensorOverrides* overrides,
                                   bool half = false) {
  std::int64_t opset = std::max(FirstOpsetWith(target.activations),
                                FirstOpsetWith(target.weights));
  if (half && target.half_pairs) {
    opset = std::max(opset, kFirstOpsetWithHalfQuantization);
  }
  const auto raise = [&opset](const QuantizationOverride& fixed) {
    if (!fixed.quant_type) return;
    opset = std::max(opset, FirstOpsetWith({.storage = *fixed.quant_type}));
  };
  if (overrides == nullptr) return opset;
  for (const auto& [name, tensor] : *overrides) {
    for (const QuantizationOverride& fixed : tensor.channels) raise(fixed);
    if (tensor.conversion) raise(tensor.conversion->to);
  }
  return opset;
}

/// Adds NAME_scale and NAME_zero_point: of rank 0 per tensor, of rank 1 per
/// channel, of the data's rank in blocks.
/// Scales are stored in `scale_type`, in which they must be exact
/// (StoredScale). Requires: storage is a 4-, 8- or 16-bit integer or int32.
inline QdqParams AddParams(Rewriter& rewriter, const std::string& name,
                           const TensorQParams& params, DataType storage,
                           ScopeId scope = kMainScope,
                           DataType scale_type = DataType::kFloat) {
  Dims dims;
  if (params.block > 0) {
    dims = params.block_dims;
  } else if (params.axis != TensorQParams::kPerTensor) {
    dims.push_back(static_cast<std::int64_t>(params.channels.size()));
  }
  Tensor scale(DataType::kFloat, dims);
  Tensor zero_point(UnpackedType(storage), dims);
  const Status filled =
      VisitDataType(zero_point.type(), [&]<class Storage>() -> Status {
        const auto scales = scale.MutableAs<float>();
        const auto zero_points = zero_point.MutableAs<Storage>();
        for (std::size_t i = 0; i < params.channels.size(); ++i) {
          scales[i] = params.channels[i].scale;
          zero_points[i] = static_cast<Storage>(params.channels[i].zero_point);
        }
        return Status();
      });
  ZEROPOINT_ASSERT(filled.ok(), "AddParams needs an integer storage type");
  QdqParams added;
  added.scale = rewriter.AddInitializer(
      EncodeReals(name + "_scale", scale.view(), scale_type), scope);
  added.zero_point = rewriter.AddInitializer(
      EncodeTensor(name + "_zero_point",
                   StoredCodes(zero_point, storage).view()),
      scope);
  added.axis = params.axis;
  added.block = params.block;
  return added;
}

namespace internal {
inline void AddQdqNode(Rewriter& rewriter, const char* op_type,
                       const std::string& name, ValueId input,
                       const QdqParams& params, ValueId output, ScopeId scope) {
  onnx::NodeProto node;
  node.set_op_type(op_type);
  node.set_name(name + "_" + op_type);
  for (const ValueId each : {input, params.scale, params.zero_point}) {
    node.add_input(std::string(rewriter.view().name(each)));
  }
  node.add_output(std::string(rewriter.view().name(output)));
  // Per tensor the axis has no meaning; its default needs no attribute.
  if (params.axis != TensorQParams::kPerTensor) {
    SetAttribute(node, "axis", params.axis);
  }
  if (params.block > 0) SetAttribute(node, "block_size", params.block);
  rewriter.Add(std::move(node), scope);
}
}  // namespace internal

/// Adds QuantizeLinear(real) and returns the value of its codes,
/// NAME_quantized.
inline ValueId AddQuantize(Rewriter& rewriter, const std::string& name,
                           ValueId real, const QdqParams& params,
                           ScopeId scope = kMainScope) {
  const ValueId codes = rewriter.NewValue(name + "_quantized", scope);
  internal::AddQdqNode(rewriter, "QuantizeLinear", name, real, params, codes,
                       scope);
  return codes;
}

/// Adds DequantizeLinear(codes), writing `real`.
inline void AddDequantize(Rewriter& rewriter, const std::string& name,
                          ValueId codes, const QdqParams& params, ValueId real,
                          ScopeId scope = kMainScope) {
  internal::AddQdqNode(rewriter, "DequantizeLinear", name, codes, params, real,
                       scope);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_QDQ_NODES_H_
