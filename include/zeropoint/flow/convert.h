// Convert: a quantized model from one form to another.
#ifndef ZEROPOINT_FLOW_CONVERT_H_
#define ZEROPOINT_FLOW_CONVERT_H_

#include <cstdint>

#include "zeropoint/core/form.h"
#include "zeropoint/core/status.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/passes/node_selection.h"

namespace zeropoint {

struct ConversionOptions {
  Form form = Form::kQdq;
  /// QOperator: use ONNX Runtime's operators of com.microsoft too.
  bool microsoft_domain = false;
  /// The least version of ONNX's operator set afterwards; 0: what the model
  /// has, or what the form needs.
  std::int64_t opset = 0;
  /// Only these nodes change form. Operator types are those in the model, or of
  /// the float operator.
  NodeSelection selection;
};

/// Writes the quantized `model` in another form, in place: it is raised to
/// pairs and lowered from there, so every form reaches every other. Scales,
/// zero points and codes are kept; what the form has no way to say stays as it
/// is and is reported with the reason. The passes raise-to-qdq,
/// lower-to-qoperator, lower-to-integer and fold-qdq say what is equal.
///
/// What options.selection leaves out stays in the form that it has.
///
/// Errors: kInvalidArgument for a selection that names what is not there, for a
/// float model (quantizing needs samples:
/// QuantizeStatic) and for an opset below the model's; those of the passes, of
/// UpgradeOpset and VerifyModel. After an error the model is in an undefined
/// state.
Result<QuantizationReport> Convert(Model& model,
                                   const ConversionOptions& options);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_CONVERT_H_
