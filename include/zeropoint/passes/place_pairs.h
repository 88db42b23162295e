// PairPlacer: puts the Q/DQ pairs of an activation between whoever writes it
// and whoever reads it.
#ifndef ZEROPOINT_PASSES_PLACE_PAIRS_H_
#define ZEROPOINT_PASSES_PLACE_PAIRS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pair_sharing.h"
#include "zeropoint/passes/qdq_nodes.h"
#include "zeropoint/passes/quantization_plan.h"

namespace zeropoint::internal {

/// Inputs of nodes that want a quantized value.
using QuantizedUses = std::set<std::pair<NodeId, int>>;

/// Pairs stand in the scope of the value, so a body reads the dequantized value
/// of an outer scope, and a body that runs many times quantizes its own values
/// each time.
class PairPlacer {
 public:
  PairPlacer(const GraphView& graph, Rewriter& rewriter, PairSharing sharing)
      : graph_(graph), rewriter_(rewriter), sharing_(sharing) {}

  /// Quantizes `value` as `tensor` says, for the inputs in `readers`; for all
  /// of them where its producer writes codes. A graph output keeps its name:
  /// the pair goes in front of it.
  void Place(ValueId value, const PlannedTensor& tensor,
             const QuantizedUses& readers) {
    const std::vector<Use> uses(graph_.uses(value).begin(),
                                graph_.uses(value).end());
    Source source{value, value, std::string(graph_.name(value)), kNoValue,
                  AddScales(value, tensor.params, tensor.scheme)};
    const bool renames =
        tensor.produced_quantized && graph_.is_graph_output(value);
    if (renames) {
      source.real = TakeName(value);
      AddPair(source, source.real, source.params, value);
      source.shared = value;
    } else if (tensor.produced_quantized && uses.empty()) {
      Shared(source);
    }
    for (const Use& use : uses) {
      if (!tensor.produced_quantized &&
          !readers.contains({use.node, use.input})) {
        continue;
      }
      rewriter_.SetInput(use.node, use.input, ValueFor(use, tensor, source));
    }
  }

  /// The value that was planned and of which `value` is the dequantized form;
  /// or `value` itself.
  ValueId PlannedAs(ValueId value) const {
    const auto known = planned_as_.find(value);
    return known == planned_as_.end() ? value : known->second;
  }

 private:
  struct Source {
    ValueId planned;
    ValueId real;  // what the producer writes
    std::string name;
    ValueId shared;  // the dequantized value that readers share
    QdqParams params;
    ValueId converted = kNoValue;
    QdqParams converted_params = {};
  };

  QdqParams AddScales(ValueId value, const QParams& params,
                      const SchemeSpec& scheme) {
    return AddParams(rewriter_, std::string(graph_.name(value)),
                     {{params}, TensorQParams::kPerTensor}, scheme.storage,
                     graph_.scope(value), scheme.scale_type);
  }

  /// What comes out of a pair has the type of what went in.
  void NoteTypeOf(ValueId planned, ValueId added) {
    if (const onnx::TypeProto* type = graph_.type(planned)) {
      rewriter_.SetType(added, *type);
    }
  }

  /// Gives the producer of `value` another value to write.
  ValueId TakeName(ValueId value) {
    const ValueId real = rewriter_.NewValue(
        std::string(graph_.name(value)) + "_real", graph_.scope(value));
    NoteTypeOf(value, real);
    const NodeId producer = graph_.producer(value);
    const auto outputs = graph_.outputs(producer);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] == value) {
        rewriter_.SetOutput(producer, static_cast<int>(i), real);
        break;
      }
    }
    return real;
  }

  /// Q and DQ from `from` to `to`, which is a new value unless given.
  ValueId AddPair(const Source& source, ValueId from, const QdqParams& params,
                  ValueId to = kNoValue) {
    const ScopeId scope = graph_.scope(source.planned);
    if (to == kNoValue) {
      to = rewriter_.NewValue(source.name + "_dequantized", scope);
      NoteTypeOf(source.planned, to);
    }
    const ValueId codes =
        AddQuantize(rewriter_, source.name, from, params, scope);
    AddDequantize(rewriter_, source.name, codes, params, to, scope);
    planned_as_[to] = source.planned;
    return to;
  }

  ValueId Shared(Source& source) {
    if (source.shared == kNoValue) {
      source.shared = AddPair(source, source.real, source.params);
    }
    return source.shared;
  }

  ValueId ValueFor(const Use& use, const PlannedTensor& tensor,
                   Source& source) {
    const auto& conversion = tensor.conversion;
    if (conversion && conversion->Receives(use.node)) {
      // Q1 -> DQ1 -> Q2 -> DQ2: the second type sees what the first can say.
      if (source.converted == kNoValue) {
        const ValueId first = Shared(source);
        source.converted_params =
            AddScales(source.planned, conversion->params, conversion->scheme);
        source.converted = AddPair(source, first, source.converted_params);
      }
      return source.converted;
    }
    return sharing_ == PairSharing::kDedicated
               ? AddPair(source, source.real, source.params)
               : Shared(source);
  }

  const GraphView& graph_;
  Rewriter& rewriter_;
  PairSharing sharing_;
  std::map<ValueId, ValueId> planned_as_;
};

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_PLACE_PAIRS_H_
