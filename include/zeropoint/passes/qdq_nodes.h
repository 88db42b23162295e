// The two nodes of a pair and their parameters, as initializers.
#ifndef ZEROPOINT_PASSES_QDQ_NODES_H_
#define ZEROPOINT_PASSES_QDQ_NODES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "zeropoint/core/qparams.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/rewriter.h"

namespace zeropoint {

/// The scale and zero point of a tensor in the graph.
struct QdqParams {
  ValueId scale = kNoValue;
  ValueId zero_point = kNoValue;
  int axis = TensorQParams::kPerTensor;
};

/// Adds NAME_scale and NAME_zero_point: of rank 0 per tensor, of rank 1 per
/// channel. Requires: storage is an 8- or 16-bit integer or int32.
inline QdqParams AddParams(Rewriter& rewriter, const std::string& name,
                           const TensorQParams& params, DataType storage) {
  Dims dims;
  if (params.axis != TensorQParams::kPerTensor) {
    dims.push_back(static_cast<std::int64_t>(params.channels.size()));
  }
  Tensor scale(DataType::kFloat, dims);
  Tensor zero_point(storage, dims);
  const Status filled = VisitDataType(storage, [&]<class Storage>() -> Status {
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
  added.scale =
      rewriter.AddInitializer(EncodeTensor(name + "_scale", scale.view()));
  added.zero_point = rewriter.AddInitializer(
      EncodeTensor(name + "_zero_point", zero_point.view()));
  added.axis = params.axis;
  return added;
}

namespace internal {
inline void AddQdqNode(Rewriter& rewriter, const char* op_type,
                       const std::string& name, ValueId input,
                       const QdqParams& params, ValueId output,
                       ScopeId scope = kMainScope) {
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
  rewriter.Add(std::move(node), scope);
}
}  // namespace internal

/// Adds QuantizeLinear(real) and returns the value of its codes,
/// NAME_quantized.
inline ValueId AddQuantize(Rewriter& rewriter, const std::string& name,
                           ValueId real, const QdqParams& params) {
  const ValueId codes = rewriter.NewValue(name + "_quantized");
  internal::AddQdqNode(rewriter, "QuantizeLinear", name, real, params, codes);
  return codes;
}

/// Adds DequantizeLinear(codes), writing `real`.
inline void AddDequantize(Rewriter& rewriter, const std::string& name,
                          ValueId codes, const QdqParams& params,
                          ValueId real) {
  internal::AddQdqNode(rewriter, "DequantizeLinear", name, codes, params, real);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_QDQ_NODES_H_
