// Payloads: moving the elements of tensors out of a proto for a moment.
//
// A proto that holds weights is never copied: what needs a copy, or another
// form of a tensor, empties the tensors first and puts them back after.
#ifndef ZEROPOINT_GRAPH_PAYLOAD_H_
#define ZEROPOINT_GRAPH_PAYLOAD_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/external_data.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/visit_tensors.h"

namespace zeropoint::internal {

/// Exchanges all that says where a tensor's elements are; what remains (name,
/// shape, type, documentation, unknown fields) stays. Its own inverse.
inline void SwapPayload(onnx::TensorProto& a, onnx::TensorProto& b) {
  std::string* const raw = a.release_raw_data();
  a.set_allocated_raw_data(b.release_raw_data());
  b.set_allocated_raw_data(raw);
  a.mutable_float_data()->Swap(b.mutable_float_data());
  a.mutable_int32_data()->Swap(b.mutable_int32_data());
  a.mutable_int64_data()->Swap(b.mutable_int64_data());
  a.mutable_double_data()->Swap(b.mutable_double_data());
  a.mutable_uint64_data()->Swap(b.mutable_uint64_data());
  a.mutable_external_data()->Swap(b.mutable_external_data());
  const auto take_location = [](onnx::TensorProto& tensor) {
    std::optional<onnx::TensorProto::DataLocation> location;
    if (tensor.has_data_location()) location = tensor.data_location();
    tensor.clear_data_location();
    return location;
  };
  const auto of_a = take_location(a);
  const auto of_b = take_location(b);
  if (of_a) b.set_data_location(*of_a);
  if (of_b) a.set_data_location(*of_b);
}

/// Tensors whose payload is another one as long as this object lives.
class ReplacedPayloads {
 public:
  ReplacedPayloads() = default;
  ReplacedPayloads(const ReplacedPayloads&) = delete;
  ReplacedPayloads& operator=(const ReplacedPayloads&) = delete;
  ~ReplacedPayloads() { PutBack(); }

  /// Empties `tensor`, which the caller may fill anew.
  onnx::TensorProto& Empty(onnx::TensorProto& tensor) {
    replaced_.push_back({&tensor, onnx::TensorProto()});
    SwapPayload(tensor, replaced_.back().original);
    return tensor;
  }

  void PutBack() {
    for (Replaced& replaced : replaced_) {
      SwapPayload(*replaced.tensor, replaced.original);
    }
    replaced_.clear();
  }

 private:
  struct Replaced {
    onnx::TensorProto* tensor;
    onnx::TensorProto original;
  };
  std::deque<Replaced> replaced_;
};

/// A copy of `model` in which tensors of `keep_below` bytes or more have shape
/// and type and no elements, and smaller external ones hold theirs. `model`
/// changes during the call and is itself again after.
inline Result<onnx::ModelProto> CopyWithoutWeights(
    onnx::ModelProto& model, const ExternalData& external_data,
    std::size_t keep_below) {
  ReplacedPayloads replaced;
  ZEROPOINT_RETURN_IF_ERROR(
      VisitTensors(model, [&](onnx::TensorProto& tensor, TensorRole) -> Status {
        const auto bytes = PackedBytes(tensor);
        const bool small = bytes.ok() && *bytes < keep_below;
        if (IsExternal(tensor) && small) {
          ZEROPOINT_ASSIGN_OR_RETURN(const auto data,
                                     external_data.Bytes(tensor));
          replaced.Empty(tensor).set_raw_data(data.data(), data.size());
        } else if (IsExternal(tensor) || (bytes.ok() && !small)) {
          replaced.Empty(tensor);
        }
        return Status();
      }));
  return onnx::ModelProto(model);
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_GRAPH_PAYLOAD_H_
