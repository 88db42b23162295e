// equalize-channels: a wide channel of an activation is divided, and its
// weights are multiplied.
//
//   W x  =  (W diag(s)) (x / s)
//
// One scale serves all channels of a quantized activation; a channel thirty
// times as wide as the others leaves them five bits less. The weights have a
// scale for each output and can take the difference.
#ifndef ZEROPOINT_PASSES_EQUALIZE_CHANNELS_H_
#define ZEROPOINT_PASSES_EQUALIZE_CHANNELS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/calibration/second_moment_table.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/channel_scales.h"
#include "zeropoint/passes/fold_affine.h"
#include "zeropoint/passes/linear_weights.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/plan_quantization.h"
#include "zeropoint/passes/quantization_plan.h"
#include "zeropoint/passes/weight_matrix.h"

namespace zeropoint {

namespace internal {

/// The activations of a plan that equalizing pays for, and the edits.
class ChannelEqualizer {
 public:
  ChannelEqualizer(GraphView& graph, const QuantizationPlan& plan,
                   const SecondMomentTable& moments, const TargetSpec& target,
                   const TensorOverrides* overrides)
      : graph_(graph),
        plan_(plan),
        moments_(moments),
        target_(target),
        overrides_(overrides),
        rewriter_(graph) {}

  Result<std::size_t> Run() {
    std::map<ValueId, std::vector<const PlannedNode*>> readers;
    for (const PlannedNode& node : plan_.nodes) {
      if (node.operands.weight == 1) {
        readers[graph_.input(node.node, 0)].push_back(&node);
      }
    }
    std::size_t equalized = 0;
    for (const auto& [value, nodes] : readers) {
      ZEROPOINT_ASSIGN_OR_RETURN(const bool done, Equalize(value, nodes));
      equalized += done ? 1 : 0;
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter_.Finish());
    return equalized;
  }

  /// Names of the nodes that were added.
  std::vector<std::string> TakeAdded() { return std::move(added_); }

 private:
  /// Behind `value`, for all its readers or for those alone that can make up
  /// for it. Free: the division vanishes in constants.
  struct Place {
    ValueId value = kNoValue;
    bool for_all = false;
    bool free = false;
  };

  // A division that stays must win more than one that vanishes, except where
  // the product behind it is so much work that it does not count.
  static constexpr double kLeastGain = 1.25;       // 1 dB
  static constexpr double kLeastGainOfNode = 4.0;  // 6 dB
  static constexpr std::size_t kRowsThatHide = 128;

  bool IsFixed(std::string_view tensor) const {
    return overrides_ != nullptr && overrides_->contains(tensor);
  }

  /// Clip bounds all channels alike: what one of them has not reached on these
  /// samples it reaches on others, and there it would be cut off.
  bool IsClipped(ValueId value) const {
    const NodeId before = graph_.producer(value);
    if (!IsOp(graph_, before, "Clip")) return false;
    return HasAttribute(graph_.node(before), "max") ||
           graph_.input(before, 2) != kNoValue;
  }

  Result<bool> Equalize(ValueId value,
                        const std::vector<const PlannedNode*>& nodes) {
    const auto planned = plan_.tensors.find(value);
    if (planned == plan_.tensors.end() || IsFixed(graph_.name(value)) ||
        IsClipped(value)) {
      return false;
    }
    ChannelProblem problem;
    problem.activation_steps =
        std::exp2(BitsOf(target_.activations.storage)) - 1;
    problem.weight_steps = std::exp2(BitsOf(target_.weights.storage) - 1) - 1;
    std::vector<Tensor> weights;
    std::size_t rows = 0;
    for (const PlannedNode* node : nodes) {
      auto read = Read(*node, problem, weights);
      if (!read.ok() || !*read) return false;
      rows += problem.readers.back().rows;
    }
    const std::vector<double> scales = ChooseChannelScales(problem);
    if (scales.empty()) return false;
    const double gain = ChannelNoise(problem) / ChannelNoise(problem, scales);
    const Place place = FindPlace(value, nodes, planned->second, scales.size());
    if (place.value == kNoValue ||
        !(gain >= (place.free || rows >= kRowsThatHide ? kLeastGain
                                                       : kLeastGainOfNode))) {
      return false;
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      Multiply(*nodes[i], scales, weights[i]);
    }
    Divide(value, place, nodes, scales);
    return true;
  }

  /// Adds a reader to the problem; false for what has no channels to equalize.
  Result<bool> Read(const PlannedNode& node, ChannelProblem& problem,
                    std::vector<Tensor>& weights) const {
    const ValueId weight = graph_.input(node.node, 1);
    const auto dims = graph_.shape(weight);
    const auto matrix =
        dims ? WeightMatrix::Of(node.operands, *dims) : std::nullopt;
    const auto known =
        moments_.find({std::string(graph_.name(graph_.input(node.node, 0))),
                       std::string(graph_.name(weight))});
    if (!matrix || matrix->groups != 1 || known == moments_.end() ||
        IsFixed(graph_.name(weight)) ||
        GetInt(graph_.node(node.node), "transA", 0) != 0) {
      return false;
    }
    const SecondMoments& moments = *known->second;
    const auto channels = moments.ranges.channels();
    if (moments.empty() || moments.columns != matrix->columns() ||
        channels.size() != matrix->inputs) {
      return false;
    }
    if (problem.ranges.empty()) {
      for (const MinMaxObserver& channel : channels) {
        if (channel.count() == 0) return false;
        problem.ranges.push_back(channel.range());
      }
    }
    if (problem.ranges.size() != channels.size()) return false;
    ZEROPOINT_ASSIGN_OR_RETURN(Tensor reals, RealConstant(graph_, weight));
    ChannelReader reader;
    reader.rows = matrix->rows;
    reader.greatest.assign(matrix->rows * matrix->inputs, 0.0f);
    reader.weight_squares.assign(matrix->inputs, 0.0);
    reader.input_squares.assign(matrix->inputs, 0.0);
    const auto w = reals.As<float>();
    for (std::size_t row = 0; row < matrix->rows; ++row) {
      for (std::size_t column = 0; column < matrix->columns(); ++column) {
        const float x = std::abs(w[matrix->Offset(0, row, column)]);
        const std::size_t channel = column / matrix->taps;
        float& greatest = reader.greatest[row * matrix->inputs + channel];
        greatest = std::max(greatest, x);
        reader.weight_squares[channel] +=
            static_cast<double>(x) * static_cast<double>(x);
      }
    }
    for (std::size_t column = 0; column < moments.columns; ++column) {
      reader.input_squares[column / matrix->taps] +=
          static_cast<double>(
              moments.products[column * (moments.columns + 1)]) /
          static_cast<double>(moments.count);
    }
    problem.readers.push_back(std::move(reader));
    weights.push_back(std::move(reals));
    return true;
  }

  Place FindPlace(ValueId value, const std::vector<const PlannedNode*>& nodes,
                  const PlannedTensor& planned, std::size_t channels) const {
    for (const PlannedNode* node : nodes) {
      if (graph_.scope(node->node) != graph_.scope(value)) return {};
    }
    const bool for_all = graph_.uses(value).size() == nodes.size() &&
                         !graph_.is_graph_output(value) &&
                         graph_.producer(value) != kNoNode;
    if (!for_all) {
      // Behind an integer operator it would be quantized twice.
      return planned.produced_quantized ? Place{} : Place{.value = value};
    }
    // A Relu of x / s is the Relu of x, divided by s.
    constexpr std::string_view kHomogeneous[] = {"Relu", "LeakyRelu"};
    Place place{.value = value, .for_all = true};
    NodeId before = graph_.producer(value);
    while (IsOneOf(graph_, before, kHomogeneous) &&
           SoleReader(graph_, graph_.input(before, 0)) == before &&
           graph_.producer(graph_.input(before, 0)) != kNoNode) {
      place.value = graph_.input(before, 0);
      before = graph_.producer(place.value);
    }
    const bool last = HasChannelsLast(nodes);
    const bool linear = AsLinear(graph_, before).has_value() &&
                        last == IsOp(graph_, before, "Gemm");
    place.free = linear || (last && Normalizes(before, channels));
    if (place.free) return place;
    if (planned.produced_quantized) return {};
    // Of a product with one number a channel (squeeze and excitation) that
    // number is divided.
    if (IsOp(graph_, before, "Mul") && !last) {
      for (const std::size_t i : {0u, 1u}) {
        const ValueId factor = graph_.input(before, i);
        if (IsOneAChannel(factor, channels) &&
            SoleReader(graph_, factor) == before) {
          return {.value = factor, .for_all = true, .free = true};
        }
      }
    }
    return {.value = value, .for_all = true};
  }

  static bool HasChannelsLast(const std::vector<const PlannedNode*>& nodes) {
    return nodes.front()->operands.channel_axis < 0;
  }

  /// LayerNormalization over `channels` with constants that the scales can go
  /// into.
  bool Normalizes(NodeId node, std::size_t channels) const {
    if (!IsOp(graph_, node, "LayerNormalization")) return false;
    const Dims expected{static_cast<std::int64_t>(channels)};
    const auto fits = [&](std::size_t input) {
      const ValueId constant = graph_.input(node, input);
      return constant != kNoValue && IsRealConstant(graph_, constant) &&
             ConstantShape(graph_, constant) == expected;
    };
    return fits(1) && (graph_.input(node, 2) == kNoValue || fits(2));
  }

  /// A tensor [N, channels, 1, ...] that is computed.
  bool IsOneAChannel(ValueId value, std::size_t channels) const {
    if (value == kNoValue || graph_.producer(value) == kNoNode) return false;
    const auto rank = RankOf(graph_, value);
    if (!rank || *rank < 3 ||
        DimOf(graph_, value, 1) != static_cast<std::int64_t>(channels)) {
      return false;
    }
    for (std::size_t axis = 2; axis < *rank; ++axis) {
      if (DimOf(graph_, value, static_cast<std::int64_t>(axis)) != 1) {
        return false;
      }
    }
    return true;
  }

  void Multiply(const PlannedNode& node, const std::vector<double>& scales,
                Tensor& weights) {
    const ValueId weight = graph_.input(node.node, 1);
    const DataType type = graph_.element_type(weight);
    const auto matrix = *WeightMatrix::Of(node.operands, weights.dims());
    const auto w = weights.MutableAs<float>();
    for (std::size_t row = 0; row < matrix.rows; ++row) {
      for (std::size_t column = 0; column < matrix.columns(); ++column) {
        float& x = w[matrix.Offset(0, row, column)];
        x = NearestOf(type,
                      static_cast<double>(x) * scales[column / matrix.taps]);
      }
    }
    Tensor stored;
    ReplaceConstant(graph_, rewriter_, {node.node, 1},
                    AsType(type, weights.view(), stored));
  }

  void Divide(ValueId value, const Place& place,
              const std::vector<const PlannedNode*>& nodes,
              const std::vector<double>& scales) {
    const NodeId before = graph_.producer(place.value);
    if (place.for_all && Normalizes(before, scales.size())) {
      for (const int i : {1, 2}) DivideConstant(before, i, scales);
      return;
    }
    const DataType type = RealTypeOf(graph_, value);
    Dims dims{static_cast<std::int64_t>(scales.size())};
    if (!HasChannelsLast(nodes)) {  // as many axes behind as the weights have
      const ValueId weight = graph_.input(nodes.front()->node, 1);
      dims.resize(RankOf(graph_, weight).value_or(2) - 1, 1);
    }
    Tensor factors(DataType::kFloat, dims);
    for (std::size_t c = 0; c < scales.size(); ++c) {
      factors.MutableAs<float>()[c] = NearestOf(type, 1.0 / scales[c]);
    }
    const std::string name(graph_.name(place.value));
    const ScopeId scope = graph_.scope(value);
    const ValueId divided = rewriter_.NewValue(name + "_equalized", scope);
    if (place.for_all) {
      rewriter_.ReplaceUses(place.value, divided);
    } else {
      for (const PlannedNode* node : nodes) {
        rewriter_.SetInput(node->node, 0, divided);
      }
    }
    const ValueId factor = rewriter_.AddInitializer(
        EncodeReals(name + "_scales", factors.view(), type), scope);
    const NodeId mul =
        rewriter_.Add("Mul", {place.value, factor}, {divided}, scope);
    added_.push_back(graph_.node(mul).name());
  }

  void DivideConstant(NodeId node, int input,
                      const std::vector<double>& scales) {
    const ValueId constant =
        graph_.input(node, static_cast<std::size_t>(input));
    if (constant == kNoValue) return;
    const DataType type = graph_.element_type(constant);
    auto reals = RealConstant(graph_, constant);
    if (!reals.ok()) return;
    const auto x = reals->MutableAs<float>();
    for (std::size_t c = 0; c < x.size(); ++c) {
      x[c] = NearestOf(type, static_cast<double>(x[c]) / scales[c]);
    }
    Tensor stored;
    ReplaceConstant(graph_, rewriter_, {node, input},
                    AsType(type, reals->view(), stored));
  }

  GraphView& graph_;
  const QuantizationPlan& plan_;
  const SecondMomentTable& moments_;
  const TargetSpec& target_;
  const TensorOverrides* overrides_;
  Rewriter rewriter_;
  std::vector<std::string> added_;
};

}  // namespace internal

/// Equalizes the channels of activations that a plan quantizes, where that
/// lowers the noise of their readers (ChannelNoise): one reader or several with
/// constant weights, Conv without groups, Gemm or MatMul. The division goes
/// into the Conv or Gemm before the activation, through Relu and LeakyRelu;
/// into the constants of a LayerNormalization; into the gate of a squeeze and
/// excitation; otherwise a Mul stays. Needs context.target, selection and
/// calibration, and the second moments of the readers' inputs. Exact but for
/// the rounding of weights and factors to their type.
class EqualizeChannels {
 public:
  static constexpr std::string_view kName = "equalize-channels";
  static constexpr std::string_view kHelp =
      "Divides wide channels of what will be quantized and multiplies their "
      "weights";
  static constexpr std::string_view kSketch =
      "x -> Conv(W) -> Relu -> Conv(V) -> y\n"
      "x -> Conv(W / s) -> Relu -> Conv(V * s) -> y";

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    if (context.target == nullptr || context.selection == nullptr ||
        context.calibration == nullptr || context.second_moments == nullptr) {
      return InvalidArgument(
          "equalize-channels needs a target, a selection, ranges and second "
          "moments; `zeropoint static` has them");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        const QuantizationPlan plan,
        PlanQuantization(graph, *context.target, *context.selection,
                         *context.calibration, context.overrides));
    internal::ChannelEqualizer equalizer(graph, plan, *context.second_moments,
                                         *context.target, context.overrides);
    PassReport report;
    ZEROPOINT_ASSIGN_OR_RETURN(report.rewrites, equalizer.Run());
    added_ = equalizer.TakeAdded();
    ZEROPOINT_RETURN_IF_ERROR(FoldAffine{}.Run(graph, context).status());
    return report;
  }

  /// Names of the Mul nodes that the last run put in, whether or not they
  /// vanished again.
  const std::vector<std::string>& added() const { return added_; }

 private:
  std::vector<std::string> added_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_EQUALIZE_CHANNELS_H_
