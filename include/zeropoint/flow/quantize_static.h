// QuantizeStatic: from a float model and samples to a quantized model.
#ifndef ZEROPOINT_FLOW_QUANTIZE_STATIC_H_
#define ZEROPOINT_FLOW_QUANTIZE_STATIC_H_

#include "zeropoint/calibration/choose_ranges.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

/// Quantizes `model` in place, with ranges from the samples of `source`:
/// upgrade, clean-up, calibration, choice of remedies, Q/DQ insertion, and the
/// form that `options` ask for. The result is deterministic: the same model,
/// samples and options give the same bytes, whatever the number of threads.
///
/// Errors: kInvalidArgument for a selection that names what is not there or a
/// scheme that the form cannot have; kUnsupported for an operator that the
/// executor lacks; kInvalidData for samples that do not fit; kInvalidModel.
/// After an error the model is in an undefined state.
Result<QuantizationReport> QuantizeStatic(
    Model& model, FeedSource& source, const StaticQuantizationOptions& options);

/// The same with ranges that are known: from a calibration state by
/// ChooseRanges, or from a file. Tensors that they lack stay float; weights are
/// rounded to the nearest code, and nothing is tuned, for want of samples.
Result<QuantizationReport> QuantizeStatic(
    Model& model, CalibrationResult calibrated,
    const StaticQuantizationOptions& options);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_QUANTIZE_STATIC_H_
