// InsertPairs and LowerPairs: from ranges and choices to a quantized model.
#ifndef ZEROPOINT_FLOW_INSERT_PAIRS_H_
#define ZEROPOINT_FLOW_INSERT_PAIRS_H_

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/flow/quantization_choice.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/weight_rounder.h"

namespace zeropoint {

/// What one insertion of pairs goes by, besides the options.
struct PairInputs {
  const TargetSpec& target;
  const NodeSelection& selection;
  const CalibrationTable& table;
  const WeightRounder& rounder;
};

/// Quantizes a prepared model into Q/DQ form as `choice` says. Adds to `report`
/// what was quantized and what stayed float. Errors: those of the passes.
Status InsertPairs(Model& model, const StaticQuantizationOptions& options,
                   const PairInputs& inputs, const QuantizationChoice& choice,
                   QuantizationReport& report);

/// Turns the pairs of `model` into the form and the inputs and outputs that
/// `options` ask for. What the form cannot say stays between pairs, and is
/// reported, as is what `target` runs slower than float. Errors: those of the
/// passes.
Status LowerPairs(Model& model, const StaticQuantizationOptions& options,
                  const TargetSpec& target, QuantizationReport& report);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_INSERT_PAIRS_H_
