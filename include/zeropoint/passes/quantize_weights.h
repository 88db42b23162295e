// quantize-weights: weights alone in a few bits; everything computes in float.
#ifndef ZEROPOINT_PASSES_QUANTIZE_WEIGHTS_H_
#define ZEROPOINT_PASSES_QUANTIZE_WEIGHTS_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/core/parallel_for.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/block_weight_writer.h"
#include "zeropoint/passes/find_block_weights.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/pass_options.h"
#include "zeropoint/passes/plan_quantization.h"
#include "zeropoint/passes/qdq_nodes.h"
#include "zeropoint/passes/sweep.h"
#include "zeropoint/passes/weight_only_spec.h"

namespace zeropoint {

/// Stores the constant weights of MatMul, Gemm and Gather as codes of 2, 4 or 8
/// bits with a scale for each block, in all scopes. Activations stay as they
/// are.
///
///   matmulnbits   MatMul and Gemm become MatMulNBits: alpha goes into the
///                 weights, beta into a constant bias that has a value for each
///                 output; any other bias gets an Add. Gather becomes
///                 GatherBlockQuantized. A block longer than the row is cut to
///                 the shortest that holds it.
///   qdq           codes and a DequantizeLinear in front of the operator, which
///                 stays: once for all nodes of a scope that read the weights
///                 alike
///
/// `rounding` is one of RoundBlocks': second-order needs
/// context.second_moments, and is mse where they lack an input, as for tables.
/// Weights that several nodes read are rounded by the first of them.
///
/// The float weights remain in the graph, read by nothing, unless another node
/// reads them: eliminate-dead drops them. context.declined has the reason for
/// every other node that computes reals, context.quantized what was done.
///
/// Idempotent. Stays float: what needs a later opset than the model has; qdq
/// needs 21, or 13 with 8 bits and one scale a channel (19 in half precision).
/// Errors: kInvalidArgument for options that the format cannot say
/// (CheckWeightOnly), a selection that names what is not there, and
/// second-order without moments; kInvalidModel for weights that are not finite.
struct QuantizeWeights {
  static constexpr std::string_view kName = "quantize-weights";
  static constexpr std::string_view kHelp =
      "Stores weights alone in a few bits, with a scale for each block";
  static constexpr std::string_view kSketch =
      "x -> MatMul(W) -> y\n"
      "x -> MatMulNBits(Wq, scales, zero points) -> y\n"
      "i -> Gather(T) -> y\n"
      "i -> GatherBlockQuantized(Tq, scales, zero points) -> y";
  static constexpr std::array<PassOption, 8> kOptions = {
      PassOption{"bits", "4", "of a code: 2, 4 or 8"},
      PassOption{"block", "32",
                 "weights that share a scale: a power of two from 16; with "
                 "format=qdq any number, or 0 for one scale a channel"},
      PassOption{"scheme", "asym", "asym: with zero points, or sym"},
      PassOption{
          "rounding", "mse",
          "nearest, mse (ranges of least squared error), or second-order "
          "(GPTQ; needs second moments, as of `zeropoint weights "
          "--data`)"},
      PassOption{"format", "matmulnbits",
                 "matmulnbits (operators of com.microsoft), or qdq "
                 "(DequantizeLinear)"},
      PassOption{"accuracy", "0",
                 "of MatMulNBits: 0 leaves it to the runtime, 1 computes in "
                 "float, 4 lets it round activations to int8"},
      PassOption{"nodes", "", "only these nodes: \"a,b\""},
      PassOption{"exclude", "", "all but these nodes: \"a,b\""}};

  WeightOnlySpec spec;
  /// Besides context.selection.
  NodeSelection selection;
  ParallelFor parallel = SerialFor;

  static Result<QuantizeWeights> FromOptions(const OptionMap& options) {
    QuantizeWeights pass;
    ZEROPOINT_ASSIGN_OR_RETURN(const std::uint64_t bits, options.Count("bits"));
    ZEROPOINT_ASSIGN_OR_RETURN(const std::uint64_t block,
                               options.Count("block"));
    ZEROPOINT_ASSIGN_OR_RETURN(const std::uint64_t accuracy,
                               options.Count("accuracy"));
    constexpr std::uint64_t kMost = 1 << 30;
    pass.spec.bits = static_cast<int>(std::min(bits, kMost));
    pass.spec.block = static_cast<std::int64_t>(std::min(block, kMost));
    pass.spec.accuracy_level = static_cast<int>(std::min(accuracy, kMost));
    const std::string& scheme = options.Text("scheme");
    if (scheme != "sym" && scheme != "asym") {
      return options.Wrong("scheme", "sym or asym");
    }
    pass.spec.symmetric = scheme == "sym";
    ZEROPOINT_ASSIGN_OR_RETURN(pass.spec.rounding,
                               ParseBlockRounding(options.Text("rounding")));
    ZEROPOINT_ASSIGN_OR_RETURN(pass.spec.format,
                               ParseWeightFormat(options.Text("format")));
    ZEROPOINT_RETURN_IF_ERROR(CheckWeightOnly(pass.spec));
    pass.selection.nodes_to_quantize = SplitNodeNames(options.Text("nodes"));
    pass.selection.nodes_to_exclude = SplitNodeNames(options.Text("exclude"));
    return pass;
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    ZEROPOINT_RETURN_IF_ERROR(CheckWeightOnly(spec));
    if (spec.rounding == BlockRounding::kSecondOrder &&
        context.second_moments == nullptr) {
      return InvalidArgument(
          "quantize-weights with rounding=second-order needs second moments; "
          "`zeropoint weights --data` has them");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        const NodeSelection own,
        ResolveSelection(selection, graph, kWeightOnlyOperators, kName));
    BlockWeightWriter writer(graph, spec, context.second_moments, parallel);
    PassReport report;
    for (const NodeId node : graph.nodes()) {
      const auto found = Find(graph, node, context.selection, own);
      if (found.ok()) {
        const std::string label = internal::NodeLabel(graph, node);
        ZEROPOINT_RETURN_IF_ERROR(
            writer.Write(*found).WithContext("node '" + label + "'"));
        context.quantized.nodes.push_back(label);
        ++report.rewrites;
      } else if (internal::ComputesReals(graph, node, CalibrationTable())) {
        context.declined.push_back(
            internal::DeclinedNode(graph, node, found.status().message()));
      }
    }
    writer.AddNotes(context.quantized.notes);
    ZEROPOINT_RETURN_IF_ERROR(writer.Finish());
    return report;
  }

  /// The weights of `node`, unless a selection leaves it out.
  /// Errors: kUnsupported; the message is the reason why they stay float.
  Result<BlockWeights> Find(const GraphView& graph, NodeId node,
                            const NodeSelection* given,
                            const NodeSelection& own) const {
    ZEROPOINT_ASSIGN_OR_RETURN(const BlockWeights found,
                               FindBlockWeights(graph, node, spec));
    for (const NodeSelection* each : {given, &own}) {
      if (each == nullptr) continue;
      std::string against = each->ReasonAgainst(graph.node(node));
      if (!against.empty()) return Unsupported(std::move(against));
    }
    if (spec.format == WeightFormat::kQdq) {
      SchemeSpec scheme = SchemeOf(spec);
      scheme.scale_type = found.type;
      const std::int64_t needed = FirstOpsetWith(scheme);
      if (graph.model().opset() < needed) {
        return Unsupported("DequantizeLinear of " + FormatScheme(scheme) +
                           " needs opset " + std::to_string(needed) +
                           "; the model has " +
                           std::to_string(graph.model().opset()));
      }
    }
    return found;
  }
};

static_assert(Pass<QuantizeWeights>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_QUANTIZE_WEIGHTS_H_
