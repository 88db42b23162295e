// onnx's own checker, shape inference and version converter, as Status.
//
// They throw, so this is the one file that calls them. Compiled without
// exceptions it declares the same functions, which then say that they cannot
// work; the inline namespace keeps the two kinds apart when a program has both.
#ifndef ZEROPOINT_GRAPH_ONNX_TOOLS_H_
#define ZEROPOINT_GRAPH_ONNX_TOOLS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/payload.h"

#if defined(__cpp_exceptions)
#include <exception>
#include <unordered_map>

#include "onnx/checker.h"
#include "onnx/defs/schema.h"
#include "onnx/shape_inference/implementation.h"

// Declared here as in onnx/version_converter/convert.h, which pulls in onnx's
// whole graph representation and doubles the time to compile this file.
namespace onnx::version_conversion {
onnx::ModelProto ConvertVersion(const onnx::ModelProto& model,
                                int target_version);
}  // namespace onnx::version_conversion
#endif

namespace zeropoint {

struct InferenceOptions {
  /// Any node whose types do not work out is an error; otherwise its outputs
  /// stay unknown.
  bool strict = false;
  /// Follows the values of shape computations (Shape, Gather, Concat ...).
  bool data_propagation = true;
};

/// What onnx knows of an operator at one version of its operator set.
struct SchemaFacts {
  bool known = false;
  bool deprecated = false;
  /// The operator-set version that brought the definition in force.
  int since = 0;
};

#if defined(__cpp_exceptions)
inline namespace with_exceptions {

namespace onnx_tools {

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

}  // namespace onnx_tools

/// Adds inferred types of all scopes to `model`'s value_info. `model` is
/// changed also when it fails. Errors: kInvalidModel when declared and inferred
/// types contradict each other and, if strict, for any node that does not
/// type-check.
inline Status InferShapes(onnx::ModelProto& model,
                          const InferenceOptions& options = {}) {
  return onnx_tools::Guard("onnx's shape inference", [&] {
    onnx::shape_inference::DataValueMap known_values;
    onnx::shape_inference::InferShapes(
        model, onnx::OpSchemaRegistry::Instance(),
        onnx::ShapeInferenceOptions(options.strict, options.strict ? 1 : 0,
                                    options.data_propagation),
        &known_values);
  });
}

/// onnx's full check: structure, attributes, operator schemas, then strict type
/// inference; and that every tensor holds what its shape needs.
/// Errors: kInvalidModel, with onnx's words.
inline Status CheckModel(const Model& model) {
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
  ZEROPOINT_RETURN_IF_ERROR(onnx_tools::Guard("onnx's checker", [&] {
    onnx::checker::check_model(structure, /*full_check=*/false);
  }));
  return InferShapes(copy, {.strict = true, .data_propagation = false});
}

/// The model at another version of the default operator set, as onnx's
/// converter makes it: through a representation of its own, which loses much.
/// upgrade.h gives it small models only.
/// Errors: kInvalidModel, with onnx's words.
inline Result<onnx::ModelProto> ConvertOpset(const onnx::ModelProto& model,
                                             std::int64_t version) {
  onnx::ModelProto converted;
  ZEROPOINT_RETURN_IF_ERROR(onnx_tools::Guard("onnx's version converter", [&] {
    converted = onnx::version_conversion::ConvertVersion(
        model, static_cast<int>(version));
  }));
  return converted;
}

/// The schema of an operator of the default domain at operator set `opset`.
inline SchemaFacts FindSchema(const std::string& op_type, std::int64_t opset) {
  const onnx::OpSchema* schema =
      onnx::OpSchemaRegistry::Schema(op_type, static_cast<int>(opset), "");
  if (schema == nullptr) return {};
  return {true, schema->Deprecated(), schema->SinceVersion()};
}

}  // namespace with_exceptions
#else
inline namespace without_exceptions {

namespace onnx_tools {
inline Status NeedsExceptions() {
  return Unsupported(
      "onnx's checker, shape inference and version converter throw, and this "
      "program is compiled without exceptions");
}
}  // namespace onnx_tools

inline Status InferShapes(onnx::ModelProto&, const InferenceOptions& = {}) {
  return onnx_tools::NeedsExceptions();
}
inline Status CheckModel(const Model&) { return onnx_tools::NeedsExceptions(); }
inline Result<onnx::ModelProto> ConvertOpset(const onnx::ModelProto&,
                                             std::int64_t) {
  return onnx_tools::NeedsExceptions();
}
inline SchemaFacts FindSchema(const std::string&, std::int64_t) { return {}; }

}  // namespace without_exceptions
#endif

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_ONNX_TOOLS_H_
