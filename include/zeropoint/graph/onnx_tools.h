// onnx's own checker, shape inference and version converter, as Status.
//
// They throw, and their headers are slow to compile, so one unit calls them:
// onnx_tools.cc (//:graph has it), which is compiled with exceptions. Programs
// without exceptions link the same unit.
#ifndef ZEROPOINT_GRAPH_ONNX_TOOLS_H_
#define ZEROPOINT_GRAPH_ONNX_TOOLS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/model.h"

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

/// Adds inferred types of all scopes to `model`'s value_info. `model` is
/// changed also when it fails. Errors: kInvalidModel when declared and inferred
/// types contradict each other and, if strict, for any node that does not
/// type-check.
Status InferShapes(onnx::ModelProto& model,
                   const InferenceOptions& options = {});

/// onnx's full check: structure, attributes, operator schemas, then strict type
/// inference; and that every tensor holds what its shape needs.
/// Errors: kInvalidModel, with onnx's words.
Status CheckModel(const Model& model);

/// The model at another version of the default operator set, as onnx's
/// converter makes it: through a representation of its own, which loses much.
/// upgrade.h gives it small models only.
/// Errors: kInvalidModel, with onnx's words.
Result<onnx::ModelProto> ConvertOpset(const onnx::ModelProto& model,
                                      std::int64_t version);

/// The schema of an operator of the default domain at operator set `opset`.
SchemaFacts FindSchema(const std::string& op_type, std::int64_t opset);

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_ONNX_TOOLS_H_
