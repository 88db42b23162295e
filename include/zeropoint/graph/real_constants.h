// Constants of real numbers, whatever precision the model stores them in: read
// as float, written in the type that their neighbours have.
#ifndef ZEROPOINT_GRAPH_REAL_CONSTANTS_H_
#define ZEROPOINT_GRAPH_REAL_CONSTANTS_H_

#include <string_view>

#include "zeropoint/core/half.h"
#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"

namespace zeropoint {

/// Whether `value` is a constant of float, float16 or bfloat16.
inline bool IsRealConstant(const GraphView& graph, ValueId value) {
  return graph.IsConstant(value) && IsReal(graph.element_type(value));
}

/// A copy of a constant, in float.
/// Errors: those of GraphView::ConstantView; kUnsupported for a constant that
/// holds no reals.
inline Result<Tensor> RealConstant(const GraphView& graph, ValueId value) {
  ZEROPOINT_ASSIGN_OR_RETURN(Tensor stored, graph.Constant(value));
  if (stored.type() == DataType::kFloat) return stored;
  Tensor real;
  ZEROPOINT_RETURN_IF_ERROR(AsFloat(stored.view(), real).status());
  return real;
}

/// The same without a copy where the model stores float. `stored` and `wide`
/// must outlive the view.
inline Result<TensorView> RealConstantView(const GraphView& graph,
                                           ValueId value, Tensor& stored,
                                           Tensor& wide) {
  ZEROPOINT_ASSIGN_OR_RETURN(const TensorView view,
                             graph.ConstantView(value, stored));
  return AsFloat(view, wide);
}

/// The type of a real value; float where it is not known to be another one.
inline DataType RealTypeOf(const GraphView& graph, ValueId value) {
  const DataType type = graph.element_type(value);
  return IsHalf(type) ? type : DataType::kFloat;
}

/// A float tensor as an initializer of `type`, rounded to nearest, ties to
/// even. Requires IsReal(type).
inline onnx::TensorProto EncodeReals(std::string_view name,
                                     const TensorView& reals, DataType type) {
  if (type == DataType::kFloat) return EncodeTensor(name, reals);
  return EncodeTensor(name, RoundedTo(type, reals).view());
}

/// One float of rank 0, likewise.
inline onnx::TensorProto EncodeReal(std::string_view name, float value,
                                    DataType type) {
  return EncodeReals(name, TensorView(DataType::kFloat, {}, &value), type);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_REAL_CONSTANTS_H_
