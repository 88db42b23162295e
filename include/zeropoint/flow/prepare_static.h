// PrepareStatic: what comes before static quantization learns anything.
#ifndef ZEROPOINT_FLOW_PREPARE_STATIC_H_
#define ZEROPOINT_FLOW_PREPARE_STATIC_H_

#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/passes/node_selection.h"

namespace zeropoint {

/// Which nodes get pairs, and where.
struct StaticPlacement {
  /// For the options' form, and for the form of pairs.
  TargetSpec target;
  TargetSpec of_pairs;
  NodeSelection selection;
};

/// Checks the options, cleans the model up and says so in `report`.
///
/// Errors: kInvalidArgument for schemes, nodes and operators that cannot be
/// quantized so; those of PrepareModel.
Result<StaticPlacement> PrepareStatic(Model& model,
                                      const StaticQuantizationOptions& options,
                                      PhaseTimer& timer,
                                      QuantizationReport& report);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_PREPARE_STATIC_H_
