// Pass: a rewrite of the graph with a name. No base class: anything with kName
// and Run is a pass.
#ifndef ZEROPOINT_PASSES_PASS_H_
#define ZEROPOINT_PASSES_PASS_H_

#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/calibration/second_moment_table.h"
#include "zeropoint/core/cost_spec.h"
#include "zeropoint/core/qparams.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_overrides.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/node_selection.h"

namespace zeropoint {

class WeightRounder;

/// Computes one node from constant inputs. Given to passes by the flow, because
/// passes stand below any executor. `inputs` has one entry an input of the
/// node; an omitted optional input is a view of type kUndefined.
using NodeEvaluator = std::function<Result<std::vector<Tensor>>(
    const onnx::NodeProto& node, std::span<const TensorView> inputs)>;

/// One thing that a pass did not do, and why.
struct Declined {
  std::string node;
  std::string op_type;
  std::string reason;
};

/// An activation that was quantized, for the report.
struct QuantizedActivation {
  std::string name;
  RealRange range;
  QParams params;
  std::string scheme;
  std::string why;
};

/// An input or output of the model that holds codes: what turns them into real
/// values.
struct IntegerPort {
  std::string kind;  // "input" or "output"
  std::string name;
  DataType type = DataType::kUndefined;
  QParams params;
};

/// What the quantizing passes did, for the report.
struct QuantizationSummary {
  std::vector<std::string> nodes;
  std::vector<QuantizedActivation> activations;
  std::vector<std::string> notes;
  std::vector<IntegerPort> integer_io;
  PredictedTimes predicted;
};

/// What passes share during one pipeline.
struct PassContext {
  /// Empty: passes that need constants computed do nothing.
  NodeEvaluator evaluate;
  /// What to quantize for, what to select, and the ranges: read by insert-qdq,
  /// which refuses to run without a target and a calibration.
  const TargetSpec* target = nullptr;
  const NodeSelection* selection = nullptr;
  const CalibrationTable* calibration = nullptr;
  /// Of the inputs of weights: read by equalize-channels, which refuses to run
  /// without.
  const SecondMomentTable* second_moments = nullptr;
  /// What is fixed for single tensors, if anything.
  const TensorOverrides* overrides = nullptr;
  /// Chooses the codes of weights; null: the nearest.
  const WeightRounder* weight_rounder = nullptr;
  /// Filled by passes; the report lists them all.
  std::vector<Declined> declined;
  QuantizationSummary quantized;
};

/// What one run of a pass did.
struct PassReport {
  std::size_t rewrites = 0;
};

/// Requires of Run: the graph is valid and in topological order before and
/// after; running it twice equals running it once unless the pass's docstring
/// says otherwise. A node that a pass cannot handle stays as it is and is
/// reported in context.declined; only a broken model is an error.
template <class P>
concept Pass = requires(P& pass, GraphView& graph, PassContext& context) {
  { P::kName } -> std::convertible_to<std::string_view>;
  { pass.Run(graph, context) } -> std::same_as<Result<PassReport>>;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_PASS_H_
