#include "zeropoint/flow/prepare_static.h"

#include <string>

#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/core/form.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/flow/prepare_model.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/profiles/for_form.h"

namespace zeropoint {

namespace {

/// The target with the placement that `form` wants, and the options' schemes in
/// place of its own.
/// Errors: kInvalidArgument for schemes that activations or the form cannot
/// have.
Result<TargetSpec> ResolveTarget(const StaticQuantizationOptions& options,
                                 Form form) {
  if (options.form == Form::kFloat) {
    return InvalidArgument("the float form is what there is already");
  }
  TargetSpec target = ForForm(options.target, form, options.microsoft_domain);
  if (options.activation_scheme) {
    target.activations = *options.activation_scheme;
  }
  if (options.weight_scheme) target.weights = *options.weight_scheme;
  target.leave_slower_float = options.leave_slower_float && form == Form::kQdq;
  if (form == Form::kInteger || BitsOf(target.activations.storage) != 8 ||
      BitsOf(target.weights.storage) != 8) {
    target.costs = {};  // they are of other kernels
  }
  const std::string activations = FormatScheme(target.activations);
  if (target.activations.per_channel) {
    return InvalidArgument("activations have one scale a tensor; leave out '" +
                           activations + "''s channel part");
  }
  if (target.activations.block > 0 || BitsOf(target.activations.storage) < 8) {
    return InvalidArgument("activations '" + activations +
                           "': blocks and 4-bit codes are for weights; use 8 "
                           "or 16 bits and one scale a tensor");
  }
  if (options.form != Form::kQdq && (BitsOf(target.activations.storage) != 8 ||
                                     BitsOf(target.weights.storage) != 8)) {
    return InvalidArgument("the " + std::string(FormName(options.form)) +
                           " form has 8-bit codes; others need the form qdq");
  }
  return target;
}

}  // namespace

Result<StaticPlacement> PrepareStatic(Model& model,
                                      const StaticQuantizationOptions& options,
                                      PhaseTimer& timer,
                                      QuantizationReport& report) {
  StaticPlacement placement;
  ZEROPOINT_ASSIGN_OR_RETURN(placement.target,
                             ResolveTarget(options, options.form));
  ZEROPOINT_ASSIGN_OR_RETURN(placement.of_pairs,
                             ResolveTarget(options, Form::kQdq));
  const TargetSpec& target = placement.target;
  report.form = FormName(options.form);
  report.profile = target.name;
  report.activations = FormatScheme(target.activations);
  report.weights = FormatScheme(target.weights);
  report.calibration = FormatCalibration(options.calibration);
  {
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
    ZEROPOINT_ASSIGN_OR_RETURN(
        placement.selection,
        ResolveSelection(options.selection, graph, target.OperatorTypes(),
                         target.name));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(
      report.left_undone, PrepareModel(model, target, &options.overrides,
                                       options.optimize, DispatchedKernels()));
  ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(CheckOperatorTypes(placement.selection, graph));
  timer.End("clean-up");
  return placement;
}

}  // namespace zeropoint
