// BlockWeightWriter: puts codes of weights into the graph, for what reads them.
#ifndef ZEROPOINT_PASSES_BLOCK_WEIGHT_WRITER_H_
#define ZEROPOINT_PASSES_BLOCK_WEIGHT_WRITER_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/calibration/second_moment_table.h"
#include "zeropoint/calibration/second_order_rounding.h"
#include "zeropoint/core/form.h"
#include "zeropoint/core/parallel_for.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/find_block_weights.h"
#include "zeropoint/passes/n_bits_layout.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/qdq_nodes.h"
#include "zeropoint/passes/round_blocks.h"
#include "zeropoint/passes/weight_only_spec.h"

namespace zeropoint {

/// Edits one graph. Each constant is rounded and stored once for each way in
/// which it is read; with pairs also for each scope.
class BlockWeightWriter {
 public:
  /// `moments` may be null; it must outlive the writer.
  BlockWeightWriter(GraphView& graph, const WeightOnlySpec& spec,
                    const SecondMomentTable* moments,
                    const ParallelFor& parallel)
      : graph_(graph),
        rewriter_(graph),
        spec_(spec),
        moments_(moments),
        parallel_(parallel) {}

  /// Lets the node read codes. Errors: kInvalidModel for weights that are not
  /// finite, and those of reading them.
  Status Write(const BlockWeights& weights) {
    converted_.insert(weights.value);
    if (spec_.format == WeightFormat::kQdq) return WriteDequantized(weights);
    return weights.is_table ? WriteTable(weights) : WriteProduct(weights);
  }

  /// What the report should say besides. To be called before Finish.
  void AddNotes(std::vector<std::string>& notes) const {
    if (without_moments_ > 0) {
      notes.push_back(
          std::to_string(without_moments_) +
          " products have weights rounded by their own squared error (mse): "
          "nothing is known of what they multiply");
    }
    for (const ValueId value : converted_) {
      if (graph_.uses(value).empty()) continue;
      const NodeId reader = graph_.uses(value).front().node;
      notes.push_back("the float weights '" + std::string(graph_.name(value)) +
                      "' stay too: '" +
                      std::string(NodeSelection::Label(graph_.node(reader))) +
                      "' reads them");
    }
  }

  Status Finish() { return rewriter_.Finish(); }

 private:
  /// How a constant is read. alpha is that of a Gemm, where it goes into the
  /// weights.
  struct Key {
    ValueId value;
    bool columns_first;
    bool is_table;
    float alpha;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct PackedWeights {
    ValueId codes = kNoValue;
    ValueId scales = kNoValue;
    ValueId zero_points = kNoValue;
    std::int64_t block = 0;
  };

  Status WriteProduct(const BlockWeights& weights) {
    ZEROPOINT_ASSIGN_OR_RETURN(const PackedWeights packed,
                               Pack(weights, weights.alpha));
    const std::string label(NodeSelection::Label(graph_.node(weights.node)));
    const ScopeId scope = graph_.scope(weights.node);
    const ValueId activation = graph_.input(weights.node, 0);
    const ValueId output = graph_.output(weights.node, 0);
    ZEROPOINT_ASSIGN_OR_RETURN(const ValueId bias, BiasOfOutputs(weights));
    const bool adds = weights.bias != kNoValue && bias == kNoValue;
    rewriter_.Erase(weights.node);
    const ValueId product =
        adds ? rewriter_.NewValue(label + "_product", scope) : output;
    onnx::NodeProto& node =
        AddContributed("MatMulNBits", label,
                       {activation, packed.codes, packed.scales,
                        packed.zero_points, kNoValue, bias},
                       product, scope);
    SetAttribute(node, "K", static_cast<std::int64_t>(weights.columns));
    SetAttribute(node, "N", static_cast<std::int64_t>(weights.rows));
    SetAttribute(node, "bits", std::int64_t{spec_.bits});
    SetAttribute(node, "block_size", packed.block);
    if (spec_.accuracy_level > 0) {
      SetAttribute(node, "accuracy_level", std::int64_t{spec_.accuracy_level});
    }
    if (adds) {
      rewriter_.Add("Add", {product, Times(weights.bias, weights, scope)},
                    {output}, scope);
    }
    return Status();
  }

  /// The constant bias as MatMulNBits takes it, a value for each output, times
  /// beta; kNoValue for none and for any other.
  Result<ValueId> BiasOfOutputs(const BlockWeights& weights) {
    if (weights.bias == kNoValue) return kNoValue;
    const auto dims = ConstantShape(graph_, weights.bias);
    const bool fits = dims && !dims->empty() && dims->size() <= 2 &&
                      dims->back() == static_cast<std::int64_t>(weights.rows) &&
                      ElementCount(*dims) == weights.rows &&
                      graph_.element_type(weights.bias) == weights.type;
    if (!fits) return kNoValue;
    if (weights.beta == 1.0f && dims->size() == 1) return weights.bias;
    ZEROPOINT_ASSIGN_OR_RETURN(const Tensor old,
                               RealConstant(graph_, weights.bias));
    Tensor bias(DataType::kFloat, {dims->back()});
    for (std::size_t i = 0; i < weights.rows; ++i) {
      bias.MutableAs<float>()[i] = weights.beta * old.As<float>()[i];
    }
    return rewriter_.AddInitializer(
        EncodeReals(graph_.name(weights.bias), bias.view(), weights.type),
        graph_.scope(weights.bias));
  }

  /// `bias` times beta.
  ValueId Times(ValueId bias, const BlockWeights& weights, ScopeId scope) {
    if (weights.beta == 1.0f) return bias;
    const std::string name(graph_.name(bias));
    const ValueId beta = rewriter_.AddInitializer(
        EncodeReal(name + "_beta", weights.beta, weights.type), scope);
    const ValueId product = rewriter_.NewValue(name + "_times_beta", scope);
    rewriter_.Add("Mul", {bias, beta}, {product}, scope);
    return product;
  }

  Status WriteTable(const BlockWeights& weights) {
    ZEROPOINT_ASSIGN_OR_RETURN(const PackedWeights packed, Pack(weights, 1.0f));
    const std::string label(NodeSelection::Label(graph_.node(weights.node)));
    const ScopeId scope = graph_.scope(weights.node);
    const ValueId indices = graph_.input(weights.node, 1);
    const ValueId output = graph_.output(weights.node, 0);
    rewriter_.Erase(weights.node);
    onnx::NodeProto& node = AddContributed(
        "GatherBlockQuantized", label,
        {packed.codes, indices, packed.scales, packed.zero_points}, output,
        scope);
    SetAttribute(node, "gather_axis", std::int64_t{0});
    SetAttribute(node, "quantize_axis", std::int64_t{1});
    SetAttribute(node, "block_size", packed.block);
    SetAttribute(node, "bits", std::int64_t{spec_.bits});
    return Status();
  }

  /// The codes stand in the scope of the node, once for each scope: ONNX
  /// Runtime makes MatMulNBits of the pair, and looks for them nowhere else.
  Status WriteDequantized(const BlockWeights& weights) {
    const ScopeId scope = graph_.scope(weights.node);
    const std::pair key(
        Key{weights.value, weights.columns_first, weights.is_table, 1.0f},
        scope);
    auto known = dequantized_.find(key);
    if (known == dequantized_.end()) {
      const std::string name(graph_.name(weights.value));
      const SchemeSpec scheme = SchemeFor(weights);
      ZEROPOINT_ASSIGN_OR_RETURN(QuantizedTensor made,
                                 Round(weights, 1.0f, scheme));
      if (weights.columns_first) made = TransposedBlocks(made);
      const QdqParams params =
          AddParams(rewriter_, name, made.params, scheme.storage, scope,
                    scheme.scale_type);
      const ValueId codes = rewriter_.AddInitializer(
          EncodeTensor(name + "_quantized",
                       StoredCodes(made.codes, scheme.storage).view()),
          scope);
      const ValueId added = rewriter_.NewValue(name + "_dequantized", scope);
      AddDequantize(rewriter_, name, codes, params, added, scope);
      known = dequantized_.emplace(key, added).first;
    }
    rewriter_.SetInput(weights.node, weights.operand, known->second);
    return Status();
  }

  Result<PackedWeights> Pack(const BlockWeights& weights, float alpha) {
    const Key key{weights.value, weights.columns_first, weights.is_table,
                  alpha};
    const auto known = packed_.find(key);
    if (known != packed_.end()) return known->second;
    const SchemeSpec scheme = SchemeFor(weights);
    ZEROPOINT_ASSIGN_OR_RETURN(const QuantizedTensor made,
                               Round(weights, alpha, scheme));
    const std::string name(graph_.name(weights.value));
    const ScopeId home = graph_.scope(weights.value);
    const auto add = [&](const char* suffix, const Tensor& tensor) {
      return rewriter_.AddInitializer(
          EncodeTensor(name + suffix, tensor.view()), home);
    };
    PackedWeights packed{.block = scheme.block};
    packed.codes = add(
        "_quantized", weights.is_table ? PackRows(made.codes.As<std::uint8_t>(),
                                                  weights.columns, spec_.bits)
                                       : PackBlocks(made, spec_.bits));
    packed.scales = rewriter_.AddInitializer(
        EncodeReals(name + "_scale", BlockScales(made).view(), weights.type),
        home);
    if (!spec_.symmetric) {
      packed.zero_points = add("_zero_point", PackZeroPoints(made, spec_.bits));
    }
    packed_.emplace(key, packed);
    return packed;
  }

  SchemeSpec SchemeFor(const BlockWeights& weights) const {
    SchemeSpec scheme = SchemeOf(spec_);
    scheme.scale_type = weights.type;
    if (spec_.format == WeightFormat::kMatMulNBits) {
      constexpr std::size_t kLeast = 16;
      const auto holds_row = static_cast<std::int64_t>(
          std::bit_ceil(std::max(weights.columns, kLeast)));
      scheme.block = std::min(scheme.block, holds_row);
    }
    return scheme;
  }

  Result<QuantizedTensor> Round(const BlockWeights& weights, float alpha,
                                const SchemeSpec& scheme) {
    ZEROPOINT_ASSIGN_OR_RETURN(const Tensor real,
                               BlockWeightRows(graph_, weights, alpha));
    std::shared_ptr<const RoundingOrder> order;
    if (spec_.rounding == BlockRounding::kSecondOrder) {
      order = OrderFor(weights);
      if (order == nullptr && !weights.is_table) ++without_moments_;
    }
    auto rounded = RoundBlocks(real.view(), scheme, spec_.rounding, order.get(),
                               DispatchedKernels(), parallel_);
    if (rounded.ok()) return rounded;
    return rounded.status().WithContext(
        "constant '" + std::string(graph_.name(weights.value)) + "'");
  }

  /// Of what the weights multiply; null where nothing is known of it. Products
  /// of one input follow each other, so the last factorization is kept.
  std::shared_ptr<const RoundingOrder> OrderFor(const BlockWeights& weights) {
    if (moments_ == nullptr || weights.is_table) return nullptr;
    const auto known =
        moments_->find({std::string(graph_.name(graph_.input(weights.node, 0))),
                        std::string(graph_.name(weights.value))});
    if (known == moments_->end() || known->second->groups != 1 ||
        known->second->columns != weights.columns) {
      return nullptr;
    }
    if (known->second == ordered_) return order_;
    ordered_ = known->second;
    auto made =
        OrderForRounding(*ordered_, 0, false, DispatchedKernels(), parallel_);
    order_ = made ? std::make_shared<const RoundingOrder>(*std::move(made))
                  : nullptr;
    return order_;
  }

  onnx::NodeProto& AddContributed(std::string_view op_type,
                                  const std::string& name,
                                  std::vector<ValueId> inputs, ValueId output,
                                  ScopeId scope) {
    Model& model = graph_.model();
    if (model.opset(kMicrosoftDomain) == 0) {
      model.ImportOpset(kMicrosoftDomain, 1);
    }
    while (inputs.back() == kNoValue) inputs.pop_back();
    onnx::NodeProto node;
    node.set_op_type(std::string(op_type));
    node.set_name(name);
    node.set_domain(std::string(kMicrosoftDomain));
    for (const ValueId input : inputs) {
      node.add_input(input == kNoValue ? std::string()
                                       : std::string(graph_.name(input)));
    }
    node.add_output(std::string(graph_.name(output)));
    return rewriter_.MutableNode(rewriter_.Add(std::move(node), scope));
  }

  GraphView& graph_;
  Rewriter rewriter_;
  WeightOnlySpec spec_;
  const SecondMomentTable* moments_;
  const ParallelFor& parallel_;
  std::map<Key, PackedWeights> packed_;
  std::map<std::pair<Key, ScopeId>, ValueId> dequantized_;
  std::set<ValueId> converted_;
  std::shared_ptr<const SecondMoments> ordered_;
  std::shared_ptr<const RoundingOrder> order_;
  std::size_t without_moments_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_BLOCK_WEIGHT_WRITER_H_
