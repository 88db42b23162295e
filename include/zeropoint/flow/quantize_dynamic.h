// QuantizeDynamic: from a float model to one that finds its ranges as it runs.
#ifndef ZEROPOINT_FLOW_QUANTIZE_DYNAMIC_H_
#define ZEROPOINT_FLOW_QUANTIZE_DYNAMIC_H_

#include <optional>

#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zeropoint {

struct DynamicQuantizationOptions {
  /// Which operators are quantized; see profiles/dynamic_operators.h.
  TargetSpec target = OnnxRuntimeCpu::Spec();
  /// In place of the target's own, and taken literally: the range of each
  /// channel is that of its weights, and they are rounded to the nearest code.
  /// Without it ranges are searched, and no neighbours among the weights
  /// saturate the target's kernels. Activations are uint8: that is what
  /// DynamicQuantizeLinear makes.
  std::optional<SchemeSpec> weight_scheme;
  NodeSelection selection;
  /// Run the clean-up passes first.
  bool optimize = true;
  /// Keep for the report what a drawing of it shows.
  bool details = false;
};

/// Quantizes `model` in place, without samples: upgrade, clean-up, dynamic
/// quantization. Deterministic.
///
/// Errors: kInvalidArgument for a selection that names what is not there and
/// for weights that are no 8-bit codes; kUnsupported for a model that cannot be
/// upgraded; kInvalidModel. After an error the model is in an undefined state.
Result<QuantizationReport> QuantizeDynamic(
    Model& model, const DynamicQuantizationOptions& options);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_QUANTIZE_DYNAMIC_H_
