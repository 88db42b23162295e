// What the tests of conversions between forms share.
#ifndef ZEROPOINT_TESTS_PASSES_FORMS_BENCH_H_
#define ZEROPOINT_TESTS_PASSES_FORMS_BENCH_H_

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tests/exec/run_model.h"
#include "tests/graph/parse_model.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/onnx_tools.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/passes/eliminate_dead.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint::testing {

/// A model, and what a pass made of it.
struct FormsBench {
  explicit FormsBench(const std::string& graph, int opset = 17)
      : model(Model::FromProto(
                  ParseProto("<ir_version: 10, opset_import: [\"\" : " +
                             std::to_string(opset) +
                             ", \"com.microsoft\" : 1]> " + graph))
                  .value()) {}

  template <class P>
  std::size_t Apply(P pass) {
    auto graph = GraphView::Over(model);
    BOOST_REQUIRE_MESSAGE(graph.ok(), graph.status().message());
    const auto report = pass.Run(*graph, context);
    BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
    BOOST_REQUIRE(EliminateDead{}.Run(*graph, context).ok());
    const Status verified = VerifyModel(*graph);
    BOOST_TEST(verified.ok(), verified.message());
    const Status checked = CheckModel(model);
    BOOST_TEST(checked.ok(), checked.message());
    return report->rewrites;
  }

  /// "QLinearConv MaxPool DequantizeLinear"
  std::string Operators() const {
    std::string all;
    for (const auto& node : model.proto().graph().node()) {
      all += (all.empty() ? "" : " ") + node.op_type();
    }
    return all;
  }
  const onnx::NodeProto& Node(const std::string& op_type) const {
    for (const auto& node : model.proto().graph().node()) {
      if (node.op_type() == op_type) return node;
    }
    BOOST_REQUIRE_MESSAGE(false, "no node " + op_type);
    return model.proto().graph().node(0);
  }
  Tensor Initializer(const std::string& name) const {
    for (const auto& tensor : model.proto().graph().initializer()) {
      if (tensor.name() == name) return DecodeTensor(tensor).value();
    }
    BOOST_REQUIRE_MESSAGE(false, "no initializer " + name);
    return Tensor();
  }
  std::string Reasons() const {
    std::string all;
    for (const Declined& each : context.declined) {
      all += each.node + ": " + each.reason + "\n";
    }
    return all;
  }
  bool Says(const std::string& text) const {
    return Reasons().find(text) != std::string::npos;
  }

  std::vector<float> Outputs(const Feeds& feeds) const {
    const auto outputs = Run(model, feeds);
    BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
    std::vector<float> values;
    for (const Tensor& tensor : *outputs) {
      const auto one = ValuesOf<float>(tensor);
      values.insert(values.end(), one.begin(), one.end());
    }
    return values;
  }

  Model model;
  PassContext context;
};

/// Values from -2 to 2 that repeat no pattern of a small network.
inline Feed Ramp(const std::string& name, Dims dims) {
  std::vector<float> values(static_cast<std::size_t>(*ElementCount(dims)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = 2.0f * std::sin(1.7f * static_cast<float>(i) + 0.3f);
  }
  return MakeFeed(name, std::move(dims), std::move(values));
}

/// The greatest difference.
inline float Difference(const std::vector<float>& a,
                        const std::vector<float>& b) {
  BOOST_REQUIRE_EQUAL(a.size(), b.size());
  float most = 0.0f;
  for (std::size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::abs(a[i] - b[i]));
  }
  return most;
}

}  // namespace zeropoint::testing

#endif  // ZEROPOINT_TESTS_PASSES_FORMS_BENCH_H_
