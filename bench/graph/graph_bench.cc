// What it costs to index a graph and to rewrite it, on chains of growing
// length: the time for a node must not grow with the chain.
//
// The pass puts a QuantizeLinear and a DequantizeLinear behind every node, with
// a scale and a zero point each: two nodes, two initializers, two values.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/rewriter.h"

namespace zeropoint::bench {
namespace {

constexpr int kLengths[] = {5'000, 10'000, 20'000, 40'000};
constexpr int kRuns = 5;  // the fastest counts: others only add disturbance

void StopUnlessOk(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "graph: %s\n", status.message().c_str());
  std::exit(1);
}

onnx::ModelProto Chain(int nodes) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("chain");
  const auto declare = [](onnx::ValueInfoProto& value, std::string name) {
    value.set_name(std::move(name));
    auto& type = *value.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    type.mutable_shape()->add_dim()->set_dim_value(8);
  };
  const auto value = [](int i) { return "value_" + std::to_string(i); };
  declare(*graph.add_input(), value(0));
  for (int i = 0; i < nodes; ++i) {
    onnx::NodeProto& node = *graph.add_node();
    node.set_name("node_" + std::to_string(i));
    node.set_op_type(i % 2 == 0 ? "Relu" : "Neg");
    node.add_input(value(i));
    node.add_output(value(i + 1));
    if (i + 1 < nodes) declare(*graph.add_value_info(), value(i + 1));
  }
  declare(*graph.add_output(), value(nodes));
  return model;
}

void InsertPairs(GraphView& graph) {
  Rewriter rewriter(graph);
  for (const NodeId node : graph.nodes()) {
    const ValueId real = graph.output(node, 0);
    const std::string name(graph.name(real));
    const ValueId scale =
        rewriter.AddInitializer(EncodeScalar(name + "_scale", 0.05F));
    const ValueId zero_point = rewriter.AddInitializer(
        EncodeScalar(name + "_zero_point", std::uint8_t{128}));
    const ValueId codes = rewriter.NewValue(name + "_quantized");
    const ValueId rounded = rewriter.NewValue(name + "_dequantized");
    rewriter.ReplaceUses(real, rounded);
    rewriter.Add("QuantizeLinear", {real, scale, zero_point}, {codes});
    rewriter.Add("DequantizeLinear", {codes, scale, zero_point}, {rounded});
  }
  StopUnlessOk(rewriter.Finish());
}

struct Seconds {
  double index = 1e9;
  double rewrite = 1e9;
};

Seconds Measure(int nodes) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  Seconds fastest;
  for (int run = 0; run < kRuns; ++run) {
    auto model = Model::FromProto(Chain(nodes));
    StopUnlessOk(model.status());
    Clock::time_point start = Clock::now();
    auto graph = GraphView::Over(*model);
    fastest.index = std::min(fastest.index, since(start));
    StopUnlessOk(graph.status());
    start = Clock::now();
    InsertPairs(*graph);
    fastest.rewrite = std::min(fastest.rewrite, since(start));
    StopUnlessOk(GraphView::Over(*model).status());
  }
  return fastest;
}

void PrintJson(const char* name, int nodes, double seconds) {
  std::printf(
      "{\"name\": \"%s\", \"model\": \"chain of %d nodes\", \"threads\": 1, "
      "\"value\": %.6g, \"unit\": \"s\"}\n",
      name, nodes, seconds);
}

int Run(bool json) {
  if (!json) {
    std::printf("%8s %12s %12s %18s %18s\n", "nodes", "index, ms", "insert, ms",
                "index, us/node", "insert, us/node");
  }
  for (const int nodes : kLengths) {
    const Seconds seconds = Measure(nodes);
    if (json) {
      PrintJson("index", nodes, seconds.index);
      PrintJson("insert-pairs", nodes, seconds.rewrite);
    } else {
      std::printf("%8d %12.1f %12.1f %18.2f %18.2f\n", nodes,
                  1e3 * seconds.index, 1e3 * seconds.rewrite,
                  1e6 * seconds.index / nodes, 1e6 * seconds.rewrite / nodes);
    }
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace zeropoint::bench

int main(int argc, char** argv) {
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) != "--json") {
      std::fprintf(stderr, "graph: unknown option '%s'; there is --json\n",
                   argv[i]);
      return 2;
    }
    json = true;
  }
  return zeropoint::bench::Run(json);
}
