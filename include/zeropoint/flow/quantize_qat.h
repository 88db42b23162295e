// QuantizeQat: from a model that was trained with fake quantization to one that
// computes in integers.
#ifndef ZEROPOINT_FLOW_QUANTIZE_QAT_H_
#define ZEROPOINT_FLOW_QUANTIZE_QAT_H_

#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zeropoint {

struct QatQuantizationOptions {
  /// Through which operators scales are handed on.
  TargetSpec target = OnnxRuntimeCpu::Spec();
  /// Run the clean-up passes as well.
  bool optimize = true;
  /// Keep for the report what a drawing of it shows.
  bool details = false;
};

/// Turns fake quantization in `model` into Q/DQ pairs with codes for weights,
/// in place; scales and zero points are those of the training, to the bit.
/// Pairs of float16 and bfloat16 become float ones between casts where the
/// target has no others. Deterministic.
///
/// Errors: kInvalidArgument for a model without any pair; kUnsupported for one
/// that cannot be upgraded; kInvalidModel. After an error the model is in an
/// undefined state.
Result<QuantizationReport> QuantizeQat(Model& model,
                                       const QatQuantizationOptions& options);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_QUANTIZE_QAT_H_
