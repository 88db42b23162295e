// BiasCorrector: gives a node a bias that takes the mean shift of its rounded
// weights back.
#ifndef ZEROPOINT_PASSES_BIAS_CORRECTOR_H_
#define ZEROPOINT_PASSES_BIAS_CORRECTOR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/correct_bias.h"
#include "zeropoint/passes/plan_quantization.h"
#include "zeropoint/passes/quantization_plan.h"

namespace zeropoint::internal {

class BiasCorrector {
 public:
  BiasCorrector(const GraphView& graph, Rewriter& rewriter,
                const CalibrationTable& calibration)
      : graph_(graph), rewriter_(rewriter), calibration_(calibration) {}

  /// Whether the node adds a constant to its products as they are, or nothing.
  bool Applies(const PlannedNode& node) const {
    if (node.operands.bias == Operands::kNone ||
        node.operands.macs_per_output == 0) {
      return false;
    }
    const onnx::NodeProto& proto = graph_.node(node.node);
    if (proto.op_type() == "Gemm" && (GetFloat(proto, "alpha", 1.0f) != 1.0f ||
                                      GetFloat(proto, "beta", 1.0f) != 1.0f)) {
      return false;
    }
    const ValueId bias = graph_.input(node.node, 2);
    return bias == kNoValue || graph_.IsConstant(bias);
  }

  /// The node gets a bias of its own, by what `rounded` weights shift in place
  /// of `real` ones, stored in their `type`; none where the means of `input`
  /// are not known. Requires: Applies(node).
  void Correct(const PlannedNode& node, ValueId input, const TensorView& real,
               const TensorView& rounded, DataType type) {
    const auto calibrated = calibration_.find(graph_.name(input));
    if (calibrated == calibration_.end()) return;
    const std::vector<double> correction = BiasCorrection(
        real, rounded, node.operands, calibrated->second.channel_means);
    if (correction.empty()) return;
    std::vector<float> bias(correction.begin(), correction.end());
    std::string name = NodeLabel(graph_, node.node) + "_bias";
    if (const ValueId value = graph_.input(node.node, 2); value != kNoValue) {
      name = graph_.name(value);
      const Result<Tensor> present = RealConstant(graph_, value);
      if (!present.ok() || present->rank() != 1 ||
          present->size() != bias.size()) {
        return;
      }
      for (std::size_t i = 0; i < bias.size(); ++i) {
        bias[i] = static_cast<float>(
            static_cast<double>(present->As<float>()[i]) + correction[i]);
      }
    }
    const std::int64_t channels[] = {static_cast<std::int64_t>(bias.size())};
    rewriter_.SetInput(
        node.node, 2,
        rewriter_.AddInitializer(
            EncodeReals(name + "_corrected",
                        TensorView(DataType::kFloat, channels, bias.data()),
                        type),
            graph_.scope(node.node)));
  }

 private:
  const GraphView& graph_;
  Rewriter& rewriter_;
  const CalibrationTable& calibration_;
};

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_BIAS_CORRECTOR_H_
