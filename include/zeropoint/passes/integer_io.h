// integer-io: inputs and outputs of the model as codes instead of float.
#ifndef ZEROPOINT_PASSES_INTEGER_IO_H_
#define ZEROPOINT_PASSES_INTEGER_IO_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "zeropoint/core/qparams.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// Takes away the QuantizeLinear behind an input and the DequantizeLinear
/// before an output of the main graph. Names stay; the element type becomes
/// that of the codes, and the caller converts with the scale and zero point in
/// context.quantized.integer_io.
///
/// An input stays float where something else than QuantizeLinear nodes of one
/// scale reads it, an output where no DequantizeLinear of one scale writes it;
/// both are said in the notes. A Cast between, as insert-casts adds it, goes
/// too. Idempotent. Enters subgraphs: no, they have no
/// public inputs.
class IntegerIo {
 public:
  static constexpr std::string_view kName = "integer-io";
  static constexpr std::string_view kHelp =
      "Makes the model take and give codes in place of float";
  static constexpr std::string_view kSketch =
      "float x -> Q -> DQ -> Conv -> Q -> DQ -> float y\n"
      "uint8 x -> DQ -> Conv -> Q -> uint8 y";

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    Rewriter rewriter(graph);
    PassReport report;
    const std::vector<ValueId> inputs(graph.graph_inputs().begin(),
                                      graph.graph_inputs().end());
    const std::vector<ValueId> outputs(graph.graph_outputs().begin(),
                                       graph.graph_outputs().end());
    for (const ValueId value : inputs) {
      if (!HoldsReals(graph, value) || graph.initializer(value) != nullptr) {
        continue;
      }
      const NodeId cast = CastBehind(graph, value);
      const std::vector<NodeId> readers =
          Quantizers(graph, cast == kNoNode ? value : graph.output(cast, 0));
      if (readers.empty()) {
        Note(graph, context, "input", value);
        continue;
      }
      Record(graph, context, "input", value, readers.front());
      for (const NodeId reader : readers) {
        ReadInstead(graph, rewriter, graph.output(reader, 0), value);
        rewriter.Erase(reader);
      }
      if (cast != kNoNode) rewriter.Erase(cast);
      rewriter.SetPublicType(value, context.quantized.integer_io.back().type);
      ++report.rewrites;
    }
    for (const ValueId value : outputs) {
      if (!HoldsReals(graph, value)) continue;
      const NodeId cast = CastBefore(graph, value);
      const NodeId dequantize =
          Dequantizer(graph, cast == kNoNode ? value : graph.input(cast, 0));
      if (dequantize == kNoNode) {
        Note(graph, context, "output", value);
        continue;
      }
      Record(graph, context, "output", value, dequantize);
      WriteCodes(graph, rewriter, value, dequantize,
                 cast == kNoNode ? dequantize : cast);
      rewriter.SetPublicType(value, context.quantized.integer_io.back().type);
      ++report.rewrites;
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter.Finish());
    return report;
  }

 private:
  /// Of a model of half precision whose quantized operators are float
  /// (insert-casts): the Cast that alone reads `value`, or kNoNode.
  static NodeId CastBehind(const GraphView& graph, ValueId value) {
    const NodeId reader = SoleReader(graph, value);
    return IsOp(graph, reader, "Cast") &&
                   HoldsReals(graph, graph.output(reader, 0))
               ? reader
               : kNoNode;
  }
  /// The Cast that writes `value` and is alone to read what it casts.
  static NodeId CastBefore(const GraphView& graph, ValueId value) {
    const NodeId cast = ProducerIfOp(graph, value, "Cast");
    return cast != kNoNode && SoleReader(graph, graph.input(cast, 0)) == cast
               ? cast
               : kNoNode;
  }

  static bool HoldsReals(const GraphView& graph, ValueId value) {
    return IsReal(graph.element_type(value));
  }

  static void Note(const GraphView& graph, PassContext& context,
                   const char* kind, ValueId value) {
    context.quantized.notes.push_back(
        std::string("the ") + kind + " '" + std::string(graph.name(value)) +
        "' stays float: it is not quantized with one scale");
  }

  /// A constant scale and zero point for the whole tensor.
  static bool HasOneScale(const GraphView& graph, NodeId node) {
    for (const std::size_t i : {1u, 2u}) {
      const ValueId value = graph.input(node, i);
      if (!graph.IsConstant(value)) return false;
      const auto dims = graph.shape(value);
      if (!dims || ElementCount(*dims) != 1u) return false;
    }
    return IsReal(graph.element_type(graph.input(node, 1))) &&
           FullCodeRange(graph.element_type(graph.input(node, 2)));
  }

  /// The QuantizeLinear nodes that read `value`, when nothing else does and all
  /// have the same parameters; else none.
  static std::vector<NodeId> Quantizers(const GraphView& graph, ValueId value) {
    std::vector<NodeId> readers;
    if (graph.is_graph_output(value)) return {};
    for (const Use& use : graph.uses(value)) {
      if (use.input != 0 || graph.scope(use.node) != kMainScope ||
          !IsOp(graph, use.node, "QuantizeLinear") ||
          !HasOneScale(graph, use.node) ||
          graph.is_graph_output(graph.output(use.node, 0))) {
        return {};
      }
      if (!readers.empty() &&
          (graph.input(use.node, 1) != graph.input(readers.front(), 1) ||
           graph.input(use.node, 2) != graph.input(readers.front(), 2))) {
        return {};
      }
      readers.push_back(use.node);
    }
    return readers;
  }

  /// The DequantizeLinear that writes `value` from codes that a node computes.
  static NodeId Dequantizer(const GraphView& graph, ValueId value) {
    const NodeId node = ProducerIfOp(graph, value, "DequantizeLinear");
    if (node == kNoNode || !HasOneScale(graph, node)) return kNoNode;
    const ValueId codes = graph.input(node, 0);
    const NodeId producer = graph.producer(codes);
    return producer == kNoNode || graph.scope(producer) != kMainScope ||
                   graph.is_graph_output(codes) || graph.IsConstant(codes)
               ? kNoNode
               : node;
  }

  static void Record(const GraphView& graph, PassContext& context,
                     const char* kind, ValueId value, NodeId node) {
    IntegerPort port;
    port.kind = kind;
    port.name = graph.name(value);
    const Result<Tensor> scale = RealConstant(graph, graph.input(node, 1));
    const Result<Tensor> zero = graph.Constant(graph.input(node, 2));
    if (scale.ok()) port.params.scale = scale->As<float>()[0];
    if (zero.ok()) {
      port.type = zero->type();
      // A 4-bit code cannot stand here: activations have at least 8 bits.
      (void)VisitDataType(zero->type(), [&]<class Storage>() -> Status {
        if constexpr (std::is_integral_v<Storage> && sizeof(Storage) <= 2) {
          port.params.zero_point = zero->template As<Storage>()[0];
        }
        return Status();
      });
    }
    context.quantized.integer_io.push_back(std::move(port));
  }

  static void ReadInstead(const GraphView& graph, Rewriter& rewriter,
                          ValueId from, ValueId to) {
    const std::vector<Use> uses(graph.uses(from).begin(),
                                graph.uses(from).end());
    for (const Use& use : uses) rewriter.SetInput(use.node, use.input, to);
  }

  /// Whoever wrote the codes writes `value`, which `last` writes now, the
  /// DequantizeLinear or a Cast behind it; other readers of the real value keep
  /// both.
  static void WriteCodes(const GraphView& graph, Rewriter& rewriter,
                         ValueId value, NodeId dequantize, NodeId last) {
    const ValueId codes = graph.input(dequantize, 0);
    if (graph.uses(value).empty()) {
      rewriter.Erase(last);
      if (last != dequantize) rewriter.Erase(dequantize);
    } else {
      const ValueId real =
          rewriter.NewValue(std::string(graph.name(value)) + "_dequantized");
      ReadInstead(graph, rewriter, value, real);
      rewriter.SetOutput(last, 0, real);
    }
    const NodeId producer = graph.producer(codes);
    const auto outputs = graph.outputs(producer);
    std::size_t slot = 0;
    while (outputs[slot] != codes) ++slot;
    rewriter.SetOutput(producer, static_cast<int>(slot), value);
    ReadInstead(graph, rewriter, codes, value);
  }
};

static_assert(Pass<IntegerIo>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_INTEGER_IO_H_
