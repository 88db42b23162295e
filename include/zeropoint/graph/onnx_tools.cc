// The unit that calls onnx's throwing parts, for the whole program.
#include "zeropoint/graph/onnx_tools.h"

#include <exception>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "onnx/checker.h"
#include "onnx/defs/schema.h"
// It converts int to std::size_t, of which clang warns.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "onnx/shape_inference/implementation.h"
#pragma GCC diagnostic pop
#include "zeropoint/graph/payload.h"

// Declared here as in onnx/version_converter/convert.h, which pulls in onnx's
// whole graph representation and doubles the time to compile this file.
namespace onnx::version_conversion {
onnx::ModelProto ConvertVersion(const onnx::ModelProto& model,
                                int target_version);
}  // namespace onnx::version_conversion

namespace zeropoint {

namespace {

// Runs `call`, turning what it throws into an error that starts with `who`.
template <class Call>
Status Guard(std::string_view who, Call&& call) {
  try {
    call();
    return Status();
  } catch (const std::exception& error) {
    std::string text = error.what();
    for (char& c : text) {
      if (c == '\n') c = ' ';
    }
    return InvalidModel(std::string(who) + ": " + text);
  } catch (...) {
    return InvalidModel(std::string(who) + " failed without saying why");
  }
}

}  // namespace

Status InferShapes(onnx::ModelProto& model, const InferenceOptions& options) {
  return Guard("onnx's shape inference", [&] {
    onnx::shape_inference::DataValueMap known_values;
    onnx::shape_inference::InferShapes(
        model, onnx::OpSchemaRegistry::Instance(),
        onnx::ShapeInferenceOptions(options.strict, options.strict ? 1 : 0,
                                    options.data_propagation),
        &known_values);
  });
}

Status CheckModel(const Model& model) {
  // The model is its former self when the copy is made.
  auto& proto = const_cast<onnx::ModelProto&>(model.proto());
  ZEROPOINT_RETURN_IF_ERROR(
      VisitTensors(proto, [&](onnx::TensorProto& tensor, TensorRole) -> Status {
        if (BitsOf(ElementType(tensor)) == 0) return Status();
        Tensor scratch;
        return model.Data(tensor, scratch).status();
      }));
  constexpr std::size_t kKeepBelow = 4096;
  ZEROPOINT_ASSIGN_OR_RETURN(
      onnx::ModelProto copy,
      internal::CopyWithoutWeights(proto, model.external_data(), kKeepBelow));
  onnx::ModelProto structure = copy;
  // Elements that are not there need a shape that has none.
  ZEROPOINT_RETURN_IF_ERROR(VisitTensors(
      structure, [&](onnx::TensorProto& tensor, TensorRole) -> Status {
        const auto bytes = PackedBytes(tensor);
        if (!bytes.ok() || *bytes < kKeepBelow) return Status();
        tensor.clear_dims();
        tensor.add_dims(0);
        return Status();
      }));
  ZEROPOINT_RETURN_IF_ERROR(Guard("onnx's checker", [&] {
    onnx::checker::check_model(structure, /*full_check=*/false);
  }));
  return InferShapes(copy, {.strict = true, .data_propagation = false});
}

Result<onnx::ModelProto> ConvertOpset(const onnx::ModelProto& model,
                                      std::int64_t version) {
  onnx::ModelProto converted;
  ZEROPOINT_RETURN_IF_ERROR(Guard("onnx's version converter", [&] {
    converted = onnx::version_conversion::ConvertVersion(
        model, static_cast<int>(version));
  }));
  return converted;
}

SchemaFacts FindSchema(const std::string& op_type, std::int64_t opset) {
  const onnx::OpSchema* schema =
      onnx::OpSchemaRegistry::Schema(op_type, static_cast<int>(opset), "");
  if (schema == nullptr) return {};
  return {true, schema->Deprecated(), schema->SinceVersion()};
}

}  // namespace zeropoint
