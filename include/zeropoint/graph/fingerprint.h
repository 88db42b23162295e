// ModelFingerprint: one number for a model, graph and weights.
#ifndef ZEROPOINT_GRAPH_FINGERPRINT_H_
#define ZEROPOINT_GRAPH_FINGERPRINT_H_

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/core/xxhash64.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/payload.h"
#include "zeropoint/graph/visit_tensors.h"

namespace zeropoint {

/// A hash of everything in the model: equal for the same model wherever its
/// weights are stored, in the file or beside it. Weights are hashed in place;
/// `model` changes during the call and is itself again after.
///
/// Errors: those of reading a tensor; kUnsupported for a model that exceeds
/// 2 GB without its weights.
inline Result<std::uint64_t> ModelFingerprint(Model& model) {
  constexpr std::size_t kLarge = 1024;
  std::uint64_t hash = 0;
  internal::ReplacedPayloads replaced;
  ZEROPOINT_RETURN_IF_ERROR(VisitTensors(
      model.proto(), [&](onnx::TensorProto& tensor, TensorRole) -> Status {
        const auto bytes = PackedBytes(tensor);
        if (!bytes.ok() || (*bytes < kLarge && !IsExternal(tensor))) {
          return Status();
        }
        Tensor scratch;
        ZEROPOINT_ASSIGN_OR_RETURN(const TensorView view,
                                   model.Data(tensor, scratch));
        hash = XxHash64({static_cast<const char*>(view.data()), view.bytes()},
                        hash);
        replaced.Empty(tensor);
        return Status();
      }));
  std::string rest;
  bool complete = false;
  {
    google::protobuf::io::StringOutputStream stream(&rest);
    google::protobuf::io::CodedOutputStream output(&stream);
    output.SetSerializationDeterministic(true);
    complete = model.proto().SerializeToCodedStream(&output);
  }
  if (!complete) {
    return Unsupported("the model exceeds 2 GB without its weights");
  }
  return XxHash64(rest, hash);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_FINGERPRINT_H_
