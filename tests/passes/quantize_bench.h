// What the tests of the quantizing passes share.
#ifndef ZEROPOINT_TESTS_PASSES_QUANTIZE_BENCH_H_
#define ZEROPOINT_TESTS_PASSES_QUANTIZE_BENCH_H_

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/graph/parse_model.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/onnx_tools.h"
#include "zeropoint/passes/fold_activation.h"
#include "zeropoint/passes/insert_casts.h"
#include "zeropoint/passes/insert_qdq.h"
#include "zeropoint/passes/quantize_bias.h"
#include "zeropoint/profiles/generic.h"

namespace zeropoint::testing {

/// A pipeline's surroundings: a model, ranges for all its tensors, a target.
struct QuantizeBench {
  explicit QuantizeBench(const char* text, TargetSpec spec = Generic::Spec())
      : QuantizeBench(ParseProto(text), std::move(spec)) {}
  explicit QuantizeBench(onnx::ModelProto proto,
                         TargetSpec spec = Generic::Spec())
      : model(Model::FromProto(std::move(proto)).value()),
        target(std::move(spec)) {
    context.target = &target;
    context.selection = &selection;
    context.calibration = &table;
  }

  void Range(const std::string& name, float lo, float hi, Dims dims = {},
             std::vector<double> means = {}) {
    table[name] = {{lo, hi}, "given", std::move(dims), std::move(means)};
  }

  /// Runs the quantizing passes and checks the model with onnx.
  void Run(bool correct_bias = false,
           PairSharing pairs = PairSharing::kShared) {
    auto graph = GraphView::Over(model);
    BOOST_REQUIRE_MESSAGE(graph.ok(), graph.status().message());
    const auto run = [&](auto pass) {
      const auto report = pass.Run(*graph, context);
      BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
    };
    run(InsertQdq{.correct_bias = correct_bias, .pairs = pairs});
    if (!target.half_pairs) run(InsertCasts{});
    run(QuantizeBias{});
    run(FoldActivation{});
    const Status checked = CheckModel(model);
    BOOST_TEST(checked.ok(), checked.message());
  }

  Status TryInsert() {
    auto graph = GraphView::Over(model);
    BOOST_REQUIRE(graph.ok());
    return InsertQdq{}.Run(*graph, context).status();
  }

  std::size_t Count(const std::string& op_type) const {
    std::size_t count = 0;
    for (const auto& node : model.proto().graph().node()) {
      count += node.op_type() == op_type ? 1 : 0;
    }
    return count;
  }

  Tensor Initializer(const std::string& name) const {
    for (const auto& tensor : model.proto().graph().initializer()) {
      if (tensor.name() == name) return DecodeTensor(tensor).value();
    }
    BOOST_REQUIRE_MESSAGE(false, "no initializer " + name);
    return Tensor();
  }

  std::string ReasonFor(const std::string& node) const {
    for (const Declined& declined : context.declined) {
      if (declined.node == node) return declined.reason;
    }
    return "";
  }

  Model model;
  TargetSpec target;
  NodeSelection selection;
  CalibrationTable table;
  PassContext context;
};

}  // namespace zeropoint::testing

#endif  // ZEROPOINT_TESTS_PASSES_QUANTIZE_BENCH_H_
