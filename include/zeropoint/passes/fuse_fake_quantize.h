// fuse-fake-quantize: quantization written in float becomes Q/DQ pairs.
#ifndef ZEROPOINT_PASSES_FUSE_FAKE_QUANTIZE_H_
#define ZEROPOINT_PASSES_FUSE_FAKE_QUANTIZE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/opset_facts.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/fake_quantize_pattern.h"
#include "zeropoint/passes/pair_params.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/quantize_tensor.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Recognises what training frameworks write for fake quantization:
///
///   (clip(round(x / s) + z, lo, hi) - z) * s     and its other spellings
///   DequantizeLinear(Clip(QuantizeLinear(x)))    QCDQ
///
/// as a pair with the very same scale and zero point. Where x is constant it
/// becomes codes at once, whatever number of bits they use. Otherwise lo and hi
/// must be the limits of an 8- or 16-bit type; a pair does not know a narrow
/// range, so a value below -127.5 steps may become one step less.
///
/// Declines other limits, a scale that varies along an unknown axis, and 16
/// bits below opset 21. Enters bodies.
/// Exact: within one step: at ties where the pattern multiplies by 1 / s or
/// adds z before it rounds, and at the lowest code.
class FuseFakeQuantize {
 public:
  static constexpr std::string_view kName = "fuse-fake-quantize";
  static constexpr std::string_view kHelp =
      "Fuses quantization that is written in float into Q/DQ pairs";
  static constexpr std::string_view kSketch =
      "x -> Div(s) -> Round -> Add(z) -> Clip(0, 255) -> Sub(z) -> Mul(s) -> "
      "y\n"
      "x -> QuantizeLinear(s, z) -> DequantizeLinear(s, z) -> y";
  static constexpr std::array<std::string_view, 2> kRoots = {
      "Mul", "DequantizeLinear"};

  struct Found {
    NodeId root;
    internal::FakeQuantize pattern;  // no nodes: QCDQ
    DataType storage = DataType::kUint8;
    bool constant = false;
  };

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    if (IsOp(graph, root, "DequantizeLinear")) {
      return MatchClip(graph, root);
    }
    auto pattern = internal::FakeQuantizeMatcher(graph).Match(root);
    if (!pattern) return std::nullopt;
    Found found{root, std::move(*pattern), DataType::kUint8, false};
    const internal::FakeQuantize& fake = found.pattern;
    found.constant = IsRealConstant(graph, fake.x);
    if (IsHalf(fake.type) &&
        graph.model().opset() < kFirstOpsetWithHalfQuantization) {
      return Decline{internal::NeedsOpset(graph, "QuantizeLinear of a half",
                                          kFirstOpsetWithHalfQuantization)};
    }
    for (const float scale : fake.scales) {
      if (scale < SmallestNormal(fake.type)) {
        return Decline{"a scale is below the normal numbers of " +
                       std::string(DataTypeName(fake.type))};
      }
    }
    const std::string limits = "its codes " + std::to_string(fake.codes.qmin) +
                               ".." + std::to_string(fake.codes.qmax);
    if (found.constant) {
      const bool is_signed = fake.codes.qmin < 0;
      found.storage = is_signed ? DataType::kInt8 : DataType::kUint8;
      const CodeRange full = *FullCodeRange(found.storage);
      if (fake.codes.qmin < full.qmin || fake.codes.qmax > full.qmax) {
        return Decline{limits + " need more than 8 bits"};
      }
      if (fake.zero_point < full.qmin || fake.zero_point > full.qmax) {
        return Decline{"its zero point is none of " + limits};
      }
      if (fake.axis != 0 && !ChannelsFit(graph, fake)) {
        return Decline{"its scale varies along an axis that x has not"};
      }
      return found;
    }
    const auto storage = internal::SettleStorage(found.pattern);
    if (!storage) return Decline{limits + " are not those of a stored type"};
    found.storage = *storage;
    const CodeRange full = *FullCodeRange(found.storage);
    if (fake.zero_point < full.qmin || fake.zero_point > full.qmax) {
      return Decline{"its zero point is none of " + limits};
    }
    if (BitsOf(found.storage) == 16 &&
        graph.model().opset() < kFirstOpsetWith16BitQuantization) {
      return Decline{internal::NeedsOpset(graph, "a 16-bit QuantizeLinear",
                                          kFirstOpsetWith16BitQuantization)};
    }
    return found;
  }

  Status Rewrite(const GraphView& graph, const Found& found,
                 Rewriter& rewriter) const {
    if (found.pattern.nodes.empty()) {
      const NodeId clip = graph.producer(graph.input(found.root, 0));
      rewriter.SetInput(found.root, 0, graph.input(clip, 0));
      EraseIfUnused(graph, rewriter, graph.output(clip, 0));
      return Status();
    }
    const internal::FakeQuantize& fake = found.pattern;
    const ScopeId scope = graph.scope(found.root);
    const ValueId output = graph.output(found.root, 0);
    const std::string name(graph.name(fake.x));
    for (const NodeId node : fake.nodes) rewriter.Erase(node);
    std::array<ValueId, 2> params = AddParams(found, name, scope, rewriter);
    ValueId codes = kNoValue;
    if (found.constant) {
      ZEROPOINT_ASSIGN_OR_RETURN(codes, AddCodes(graph, found, name, rewriter));
    } else {
      codes = rewriter.NewValue(name + "_quantized", scope);
      AddNode("QuantizeLinear", found, {fake.x, params[0], params[1]}, codes,
              scope, rewriter);
    }
    AddNode("DequantizeLinear", found, {codes, params[0], params[1]}, output,
            scope, rewriter);
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return SweepRoots(*this, graph, context);
  }

 private:
  static MatchResult<Found> MatchClip(const GraphView& graph, NodeId root) {
    const NodeId clip = ProducerIfOp(graph, graph.input(root, 0), "Clip");
    if (clip == kNoNode) return std::nullopt;
    const NodeId quantize =
        ProducerIfOp(graph, graph.input(clip, 0), "QuantizeLinear");
    if (quantize == kNoNode || graph.IsConstant(graph.input(quantize, 0))) {
      return std::nullopt;  // fold-quantize applies the clip to the constant
    }
    const auto outer = internal::PairParamsOf(graph, root);
    const auto inner = internal::PairParamsOf(graph, quantize);
    if (!outer || !inner || !(*outer == *inner)) {
      return Decline{"its QuantizeLinear has other parameters"};
    }
    const auto full = FullCodeRange(inner->storage);
    const auto clipped = internal::ClippedCodes(graph, clip, inner->storage);
    if (!full || !clipped) return Decline{"its Clip has no constant bounds"};
    const bool all = clipped->qmax == full->qmax &&
                     (clipped->qmin == full->qmin ||
                      (full->qmin < 0 && clipped->qmin == full->qmin + 1));
    if (!all) {
      return Decline{"its codes " + std::to_string(clipped->qmin) + ".." +
                     std::to_string(clipped->qmax) +
                     " are fewer than those of the stored type"};
    }
    return Found{root, {}, inner->storage, false};
  }

  static bool ChannelsFit(const GraphView& graph,
                          const internal::FakeQuantize& fake) {
    const auto dims = graph.shape(fake.x);
    const std::int64_t rank =
        dims ? static_cast<std::int64_t>(dims->size()) : 0;
    return rank + fake.axis >= 0 &&
           (*dims)[static_cast<std::size_t>(rank + fake.axis)] ==
               static_cast<std::int64_t>(fake.scales.size());
  }

  /// Scale and zero point, of rank 0 or 1.
  static std::array<ValueId, 2> AddParams(const Found& found,
                                          const std::string& name,
                                          ScopeId scope, Rewriter& rewriter) {
    const internal::FakeQuantize& fake = found.pattern;
    Dims dims;
    if (fake.axis != 0) {
      dims.push_back(static_cast<std::int64_t>(fake.scales.size()));
    }
    Tensor zero_point(found.storage, dims);
    const Status filled =
        VisitDataType(found.storage, [&]<class Storage>() -> Status {
          for (Storage& each : zero_point.MutableAs<Storage>()) {
            each = static_cast<Storage>(fake.zero_point);
          }
          return Status();
        });
    ZEROPOINT_ASSERT(filled.ok(), "codes are stored as integers");
    return {
        rewriter.AddInitializer(
            EncodeReals(name + "_scale",
                        TensorView(DataType::kFloat, dims, fake.scales.data()),
                        fake.type),
            scope),
        rewriter.AddInitializer(
            EncodeTensor(name + "_zero_point", zero_point.view()), scope)};
  }

  static Result<ValueId> AddCodes(const GraphView& graph, const Found& found,
                                  const std::string& name, Rewriter& rewriter) {
    const internal::FakeQuantize& fake = found.pattern;
    Tensor stored;
    Tensor wide;
    ZEROPOINT_ASSIGN_OR_RETURN(const TensorView real,
                               RealConstantView(graph, fake.x, stored, wide));
    TensorQParams params;
    for (const float scale : fake.scales) {
      params.channels.push_back({scale, fake.zero_point});
    }
    if (fake.axis != 0) {
      params.axis = static_cast<int>(real.rank()) + fake.axis;
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        const Tensor codes,
        QuantizeWith(real, params, found.storage, fake.codes));
    return rewriter.AddInitializer(
        EncodeTensor(name + "_quantized", codes.view()), graph.scope(fake.x));
  }

  static void AddNode(const char* op_type, const Found& found,
                      const std::array<ValueId, 3>& inputs, ValueId output,
                      ScopeId scope, Rewriter& rewriter) {
    const NodeId node =
        rewriter.Add(op_type, inputs, std::array{output}, scope);
    if (found.pattern.axis != 0) {
      SetAttribute(rewriter.MutableNode(node), "axis", found.pattern.axis);
    }
  }
};

static_assert(Pass<FuseFakeQuantize>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FUSE_FAKE_QUANTIZE_H_
