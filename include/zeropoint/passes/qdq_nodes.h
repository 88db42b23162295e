// The two nodes of a pair and their parameters, as initializers.
#ifndef ZEROPOINT_PASSES_QDQ_NODES_H_
#define ZEROPOINT_PASSES_QDQ_NODES_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "zeropoint/core/qparams.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/core/tensor_overrides.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/opset_facts.h"
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
  return BitsOf(scheme.storage) == 8 && scheme.block == 0
             ? kFirstOpsetWithQuantizationAxis
             : kFirstOpsetWith16BitQuantization;
}

/// The same for all schemes of a target and of `overrides`.
inline std::int64_t FirstOpsetWith(const TargetSpec& target,
                                   const TensorOverrides* overrides) {
  std::int64_t opset = std::max(FirstOpsetWith(target.activations),
                                FirstOpsetWith(target.weights));
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
/// Requires: storage is a 4-, 8- or 16-bit integer or int32.
inline QdqParams AddParams(Rewriter& rewriter, const std::string& name,
                           const TensorQParams& params, DataType storage,
                           ScopeId scope = kMainScope) {
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
      EncodeTensor(name + "_scale", scale.view()), scope);
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
