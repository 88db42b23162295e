// CheckFeeds: whether the data of a run fits the inputs that a model declares.
#ifndef ZEROPOINT_EXEC_CHECK_FEEDS_H_
#define ZEROPOINT_EXEC_CHECK_FEEDS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/data_type.h"
#include "zeropoint/core/feeds.h"
#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"

namespace zeropoint {

/// Exporters also write -1 or 0 for an axis of any size.
inline bool IsFixed(const onnx::TensorShapeProto::Dimension& dim) {
  return dim.has_dim_value() && dim.dim_value() > 0;
}

/// "[N, 3, 224, 224]"; "?" for an axis of which nothing is said.
inline std::string FormatShape(const onnx::TensorShapeProto& shape) {
  std::string text = "[";
  for (const auto& dim : shape.dim()) {
    if (text.size() > 1) text += ", ";
    if (IsFixed(dim)) {
      text += std::to_string(dim.dim_value());
    } else {
      text += dim.dim_param().empty() ? "?" : dim.dim_param();
    }
  }
  return text + "]";
}

/// Errors: kInvalidData naming the input, what is expected and what is there.
inline Status CheckFeed(const onnx::ValueInfoProto& input,
                        const Tensor& tensor) {
  const std::string name = "input '" + input.name() + "'";
  if (!input.type().has_tensor_type()) {
    return Unsupported(name + " of the model is not a tensor");
  }
  const onnx::TypeProto::Tensor& type = input.type().tensor_type();
  const auto expected = static_cast<DataType>(type.elem_type());
  // The executor rounds float data for a model of half precision.
  const bool rounds = IsHalf(expected) && tensor.type() == DataType::kFloat;
  if (tensor.type() != expected && !rounds) {
    return InvalidData(name + " is " +
                       std::string(DataTypeName(tensor.type())) +
                       " in the data; the model expects " +
                       std::string(DataTypeName(expected)));
  }
  if (!type.has_shape()) return Status();
  bool fits = static_cast<int>(tensor.rank()) == type.shape().dim_size();
  for (int i = 0; fits && i < type.shape().dim_size(); ++i) {
    const auto& dim = type.shape().dim(i);
    fits = !IsFixed(dim) ||
           dim.dim_value() == tensor.dims()[static_cast<std::size_t>(i)];
  }
  if (fits) return Status();
  return InvalidData(name + " has shape " + FormatDims(tensor.dims()) +
                     " in the data; the model expects " +
                     FormatShape(type.shape()));
}

/// Requires that every input without a default is fed, and nothing else.
inline Status CheckFeeds(const onnx::GraphProto& graph, const Feeds& feeds) {
  std::string known;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    known += (known.empty() ? "" : ", ") + input.name();
  }
  for (const Feed& feed : feeds) {
    bool found = false;
    for (const onnx::ValueInfoProto& input : graph.input()) {
      if (input.name() == feed.name) found = true;
    }
    if (!found) {
      return InvalidData(
          "the data has an input '" + feed.name +
          "' that the model lacks; the model's inputs: " + known);
    }
  }
  for (const onnx::ValueInfoProto& input : graph.input()) {
    if (const Tensor* tensor = FindFeed(feeds, input.name())) {
      ZEROPOINT_RETURN_IF_ERROR(CheckFeed(input, *tensor));
      continue;
    }
    bool has_default = false;
    for (const onnx::TensorProto& tensor : graph.initializer()) {
      if (tensor.name() == input.name()) has_default = true;
    }
    if (!has_default) {
      return InvalidData("input '" + input.name() +
                         "' of the model is missing from the data; the "
                         "model's inputs: " +
                         known);
    }
  }
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_CHECK_FEEDS_H_
