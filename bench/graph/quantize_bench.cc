// What planning and inserting Q/DQ pairs cost on residual chains of growing
// length: the time for a node must not grow with the chain.
//
//   x -> Conv -> Relu -> Conv -> Add(x) -> Conv -> ...
//
// Every tensor has a range; everything that the generic profile quantizes is
// quantized: inputs, weights, biases, outputs.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/passes/insert_qdq.h"
#include "zeropoint/passes/plan_quantization.h"
#include "zeropoint/passes/quantize_bias.h"
#include "zeropoint/profiles/generic.h"

namespace zeropoint::bench {
namespace {

constexpr int kLengths[] = {1'000, 2'000, 10'000, 40'000};
constexpr int kRuns = 3;  // the fastest counts: others only add disturbance
constexpr std::int64_t kChannels = 4;

void StopUnlessOk(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "quantize: %s\n", status.message().c_str());
  std::exit(1);
}

void Declare(onnx::ValueInfoProto& value, const std::string& name) {
  value.set_name(name);
  auto& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t dim :
       {std::int64_t{1}, kChannels, std::int64_t{8}, std::int64_t{8}}) {
    type.mutable_shape()->add_dim()->set_dim_value(dim);
  }
}

std::string AddNode(onnx::GraphProto& graph, const char* op_type, int number,
                    const std::vector<std::string>& inputs) {
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type(op_type);
  node.set_name("node_" + std::to_string(number));
  for (const std::string& input : inputs) node.add_input(input);
  std::string output = "value_" + std::to_string(number);
  node.add_output(output);
  Declare(*graph.add_value_info(), output);
  return output;
}

std::string AddConv(onnx::GraphProto& graph, int number,
                    const std::string& input) {
  const std::string name = "conv_" + std::to_string(number);
  const std::int64_t weight_dims[] = {kChannels, kChannels, 1, 1};
  const std::int64_t bias_dims[] = {kChannels};
  std::vector<float> values(kChannels * kChannels);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = 0.1F * static_cast<float>(i + 1);
  }
  *graph.add_initializer() =
      EncodeValues<float>(name + "_weight", weight_dims, values);
  values.resize(kChannels);
  *graph.add_initializer() =
      EncodeValues<float>(name + "_bias", bias_dims, values);
  return AddNode(graph, "Conv", number,
                 {input, name + "_weight", name + "_bias"});
}

onnx::ModelProto ResidualChain(int nodes) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("residual-chain");
  Declare(*graph.add_input(), "x");
  std::string at = "x";
  for (int i = 0; i + 4 <= nodes; i += 4) {
    const std::string first = AddConv(graph, i, at);
    const std::string relu = AddNode(graph, "Relu", i + 1, {first});
    const std::string second = AddConv(graph, i + 2, relu);
    at = AddNode(graph, "Add", i + 3, {second, at});
  }
  Declare(*graph.add_output(), at);
  graph.mutable_value_info()->RemoveLast();
  return model;
}

struct Seconds {
  double plan = 1e9;
  double insert = 1e9;  // planning included
  double bias = 1e9;
};

Seconds Measure(int nodes) {
  // Time on the processor: one thread computes, and others may be busy too.
  const auto since = [](std::clock_t start) {
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  const TargetSpec target = Generic::Spec();
  const NodeSelection selection;
  CalibrationTable table;
  table["x"] = {{-1.0F, 1.0F}, "given", {1, kChannels, 8, 8}, {}};
  for (int i = 0; i < nodes; ++i) {
    table["value_" + std::to_string(i)] = {
        {-1.0F, 1.0F}, "given", {1, kChannels, 8, 8}, {}};
  }
  Seconds fastest;
  for (int run = 0; run < kRuns; ++run) {
    auto model = Model::FromProto(ResidualChain(nodes));
    StopUnlessOk(model.status());
    auto graph = GraphView::Over(*model);
    StopUnlessOk(graph.status());
    PassContext context;
    context.target = &target;
    context.calibration = &table;
    std::clock_t start = std::clock();
    StopUnlessOk(PlanQuantization(*graph, target, selection, table).status());
    fastest.plan = std::min(fastest.plan, since(start));
    start = std::clock();
    StopUnlessOk(InsertQdq{}.Run(*graph, context).status());
    fastest.insert = std::min(fastest.insert, since(start));
    start = std::clock();
    StopUnlessOk(QuantizeBias{}.Run(*graph, context).status());
    fastest.bias = std::min(fastest.bias, since(start));
  }
  return fastest;
}

int Run(bool json) {
  if (!json) {
    std::printf("%8s %12s %12s %12s %18s\n", "nodes", "plan, ms", "insert, ms",
                "bias, ms", "all, us/node");
  }
  for (const int nodes : kLengths) {
    const Seconds seconds = Measure(nodes);
    if (json) {
      std::printf(
          "{\"name\": \"insert-qdq\", \"model\": \"residual chain of %d "
          "nodes\", \"threads\": 1, \"value\": %.6g, \"unit\": \"s\"}\n",
          nodes, seconds.insert + seconds.bias);
    } else {
      std::printf("%8d %12.1f %12.1f %12.1f %18.2f\n", nodes,
                  1e3 * seconds.plan, 1e3 * seconds.insert, 1e3 * seconds.bias,
                  1e6 * (seconds.insert + seconds.bias) / nodes);
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
      std::fprintf(stderr, "quantize: unknown option '%s'; there is --json\n",
                   argv[i]);
      return 2;
    }
    json = true;
  }
  return zeropoint::bench::Run(json);
}
