// Model: one ONNX model in memory, with the data files that it refers to.
//
// The ModelProto is the graph: there is no representation of our own to
// translate to and from, so whatever this library does not understand survives.
// Weights are read through views and never copied with the proto.
#ifndef ZEROPOINT_GRAPH_MODEL_H_
#define ZEROPOINT_GRAPH_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/graph/external_data.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/model_reader.h"
#include "zeropoint/graph/model_writer.h"
#include "zeropoint/graph/visit_tensors.h"

namespace zeropoint {

/// Owns a ModelProto and the memory maps of its external data. Moves; pointers
/// into the proto stay valid when it does.
class Model {
 public:
  /// Reads `path` and checks every reference to external data.
  /// Errors: kNotFound for a missing model or data file; kInvalidModel for
  /// something that is not an ONNX model, is cut short, or refers to data
  /// outside its folder or outside a data file.
  static Result<Model> Load(const std::string& path) {
    ZEROPOINT_ASSIGN_OR_RETURN(auto proto, internal::ReadModelProto(path));
    const std::size_t slash = path.rfind('/');
    Model model(std::move(proto),
                slash == std::string::npos ? "" : path.substr(0, slash + 1));
    ZEROPOINT_RETURN_IF_ERROR(model.MapExternalData().WithContext(path));
    return model;
  }

  /// Takes a proto built in memory; `folder` is where its external data lies.
  /// Errors: as Load's.
  static Result<Model> FromProto(onnx::ModelProto proto,
                                 std::string folder = "") {
    if (!proto.has_graph()) return InvalidModel("the model has no graph");
    Model model(std::make_unique<onnx::ModelProto>(std::move(proto)),
                std::move(folder));
    ZEROPOINT_RETURN_IF_ERROR(model.MapExternalData());
    return model;
  }

  /// Writes the model, and its data file where `options` or the size ask for
  /// one, whole or not at all. The same model gives the same bytes.
  ///
  /// Payloads that go to the data file are moved out of the proto during the
  /// write and back afterwards, so nothing else may use the model meanwhile.
  /// Errors: kIoError from the file system; kUnsupported for a model that
  /// exceeds 2 GB without its initializers.
  Status Save(const std::string& path, const SaveOptions& options = {}) const {
    return internal::ModelWriter(*proto_, external_data_, options).Write(path);
  }

  onnx::ModelProto& proto() { return *proto_; }
  const onnx::ModelProto& proto() const { return *proto_; }

  /// The elements of `tensor`, a tensor of this model. A view of the proto or
  /// of a data file where they lie there as memory holds them, else of
  /// `scratch`, which then owns a decoded copy. Valid as long as tensor, model
  /// and scratch. Errors: DecodeTensor's and ExternalData::Bytes's.
  Result<TensorView> Data(const onnx::TensorProto& tensor,
                          Tensor& scratch) const {
    return internal::ViewTensor(tensor, external_data_, scratch);
  }

  /// Moves a new large tensor out of memory, if the model has a data file: its
  /// weights are then held by the file and not by the process, and so shall be
  /// what they are replaced by. Others stay as they are.
  void Spill(onnx::TensorProto& tensor) {
    constexpr std::size_t kLarge = SaveOptions().external_data_threshold;
    if (!external_data_.empty() && !IsExternal(tensor) &&
        tensor.raw_data().size() >= kLarge) {
      external_data_.Spill(tensor);
    }
  }

  /// Says that the elements of `tensor` are not needed for now: what lies in a
  /// data file leaves memory until it is read again. Views stay valid.
  void Forget(const onnx::TensorProto& tensor) const {
    if (IsExternal(tensor)) external_data_.Forget(tensor);
  }

  /// The version of an operator set that the model imports; 0 when it does not.
  /// "" and "ai.onnx" are the same domain.
  std::int64_t opset(std::string_view domain = "") const {
    for (const auto& import : proto_->opset_import()) {
      if (SameDomain(import.domain(), domain)) return import.version();
    }
    return 0;
  }

  /// Imports version `version` of `domain`, in place of any other. It changes
  /// the number only: upgrade.h converts the nodes.
  void ImportOpset(std::string_view domain, std::int64_t version) {
    for (auto& import : *proto_->mutable_opset_import()) {
      if (!SameDomain(import.domain(), domain)) continue;
      import.set_version(version);
      return;
    }
    auto& import = *proto_->add_opset_import();
    import.set_domain(std::string(domain));
    import.set_version(version);
  }

  const ExternalData& external_data() const { return external_data_; }

 private:
  Model(std::unique_ptr<onnx::ModelProto> proto, std::string folder)
      : proto_(std::move(proto)), external_data_(std::move(folder)) {}

  Status MapExternalData() {
    return VisitTensors(*proto_, [this](onnx::TensorProto& tensor, TensorRole) {
      return IsExternal(tensor) ? external_data_.Map(tensor) : Status();
    });
  }

  static bool SameDomain(std::string_view a, std::string_view b) {
    const auto shorten = [](std::string_view domain) {
      return domain == "ai.onnx" ? std::string_view() : domain;
    };
    return shorten(a) == shorten(b);
  }

  std::unique_ptr<onnx::ModelProto> proto_;
  ExternalData external_data_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_MODEL_H_
