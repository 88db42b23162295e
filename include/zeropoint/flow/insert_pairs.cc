#include "zeropoint/flow/insert_pairs.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/core/form.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/flow/quantization_choice.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/passes/eliminate_dead.h"
#include "zeropoint/passes/fold_activation.h"
#include "zeropoint/passes/insert_casts.h"
#include "zeropoint/passes/insert_qdq.h"
#include "zeropoint/passes/integer_io.h"
#include "zeropoint/passes/lower_to_integer.h"
#include "zeropoint/passes/lower_to_qoperator.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/pipeline.h"
#include "zeropoint/passes/quantize_bias.h"
#include "zeropoint/passes/weight_rounder.h"

namespace zeropoint {

Status InsertPairs(Model& model, const StaticQuantizationOptions& options,
                   const PairInputs& inputs, const QuantizationChoice& choice,
                   QuantizationReport& report) {
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  report.nodes = graph.nodes().size();
  NodeSelection selection = inputs.selection;
  for (const std::string& name : choice.float_nodes) selection.Exclude(name);
  for (const std::string& name : choice.slow_nodes) selection.Exclude(name);
  for (const std::string& name : choice.equalizers) selection.Exclude(name);
  PassContext context;
  context.target = &inputs.target;
  context.selection = &selection;
  context.calibration = &inputs.table;
  context.overrides = &options.overrides;
  context.weight_rounder = &inputs.rounder;
  InsertQdq insert{.correct_bias = choice.correct_bias, .pairs = options.pairs};
  ZEROPOINT_RETURN_IF_ERROR(insert.Run(graph, context).status());
  if (!inputs.target.half_pairs) {
    ZEROPOINT_RETURN_IF_ERROR(InsertCasts{}.Run(graph, context).status());
  }
  // In the integer form the bias stays float: it is added behind the rescale.
  if (options.quantize_bias && options.form != Form::kInteger) {
    ZEROPOINT_RETURN_IF_ERROR(QuantizeBias{}.Run(graph, context).status());
  }
  Pipeline finish{FoldActivation{}, EliminateDead{}};
  ZEROPOINT_RETURN_IF_ERROR(finish.Run(graph, context).status());
  report.quantized = std::move(context.quantized);
  report.float_nodes = std::move(context.declined);
  const auto is_in = [](const std::vector<std::string>& names,
                        const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (Declined& node : report.float_nodes) {
    if (is_in(choice.slow_nodes, node.node)) {
      node.reason = "int8 is predicted to gain less than a tenth of the time";
    } else if (is_in(choice.float_nodes, node.node)) {
      node.reason = "in int8 it costs more accuracy than the others";
    } else if (is_in(choice.equalizers, node.node)) {
      node.reason = "it equalizes the channels of what is quantized behind it";
    }
  }
  return VerifyModel(graph);
}

Status LowerPairs(Model& model, const StaticQuantizationOptions& options,
                  const TargetSpec& target, QuantizationReport& report) {
  if (options.form == Form::kQdq && !options.integer_io) return Status();
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  PassContext context;
  if (options.integer_io) {
    ZEROPOINT_RETURN_IF_ERROR(IntegerIo{}.Run(graph, context).status());
    report.quantized.integer_io = std::move(context.quantized.integer_io);
  }
  if (options.form == Form::kQOperator) {
    Pipeline pipeline{LowerToQOperator{.microsoft = options.microsoft_domain},
                      EliminateDead{}};
    ZEROPOINT_RETURN_IF_ERROR(pipeline.Run(graph, context).status());
  } else if (options.form == Form::kInteger) {
    Pipeline pipeline{LowerToInteger{}, EliminateDead{}};
    ZEROPOINT_RETURN_IF_ERROR(pipeline.Run(graph, context).status());
  }
  const DynamicRule* conv = target.FindDynamic("Conv", "");
  if (conv != nullptr && !conv->slower.empty()) {
    const std::size_t slow = graph.nodes_of_type("ConvInteger").size();
    if (slow > 0) {
      report.quantized.notes.push_back(
          std::to_string(slow) + " convolutions: " + std::string(conv->slower));
    }
  }
  for (Declined& declined : context.declined) {
    report.left_undone.push_back(std::move(declined));
  }
  return VerifyModel(graph);
}

}  // namespace zeropoint
