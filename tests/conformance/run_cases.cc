// Runs onnx's operator test cases through the built-in executor.
//
// Usage: run_cases FOLDER      (what generate_cases.py wrote)
//
// A case is skipped when its model has an operator that the executor lacks, or
// when the executor refuses it as unsupported and it is about training or an
// element type outside the common ones; skipped cases are listed with the
// reason. Every other case must pass. The
// last line is "N passed, N failed"; the exit status is 1 if any failed.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/feeds.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {
namespace {

// numpy.testing.assert_allclose, as onnx calls it.
constexpr double kRelative = 1e-3;
constexpr double kAbsolute = 1e-7;

// What operators do while a network is trained; the executor runs trained ones.
bool IsTraining(const std::string& name) {
  return name.find("training") != std::string::npos;
}

struct Outcome {
  enum Kind { kPassed, kFailed, kSkipped } kind;
  std::string reason;
};

bool IsCommonType(const onnx::ValueInfoProto& value) {
  if (!value.type().has_tensor_type()) return false;
  const auto type =
      static_cast<DataType>(value.type().tensor_type().elem_type());
  return VisitDataType(type, []<class T>() { return Status(); }).ok();
}

Result<Tensor> ReadTensor(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  onnx::TensorProto proto;
  if (!file || !proto.ParseFromIstream(&file)) {
    return NotFound("no tensor in " + path.string());
  }
  return DecodeTensor(proto);
}

template <class T>
std::optional<std::string> CompareReals(std::span<const T> found,
                                        std::span<const T> expected) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto a = static_cast<double>(found[i]);
    const auto b = static_cast<double>(expected[i]);
    if ((std::isnan(a) && std::isnan(b)) || a == b) continue;
    if (std::abs(a - b) <= kAbsolute + kRelative * std::abs(b)) continue;
    return "element " + std::to_string(i) + " is " + std::to_string(a) +
           ", expected " + std::to_string(b);
  }
  return std::nullopt;
}

std::optional<std::string> Difference(const TensorView& found,
                                      const TensorView& expected) {
  if (found.type() != expected.type()) {
    return "type " + std::string(DataTypeName(found.type())) + ", expected " +
           std::string(DataTypeName(expected.type()));
  }
  if (!std::ranges::equal(found.dims(), expected.dims())) {
    return "shape " + FormatDims(found.dims()) + ", expected " +
           FormatDims(expected.dims());
  }
  if (found.type() == DataType::kFloat) {
    return CompareReals(found.As<float>(), expected.As<float>());
  }
  if (found.type() == DataType::kDouble) {
    return CompareReals(found.As<double>(), expected.As<double>());
  }
  const auto* a = static_cast<const unsigned char*>(found.data());
  const auto* b = static_cast<const unsigned char*>(expected.data());
  if (std::equal(a, a + found.bytes(), b)) return std::nullopt;
  return "elements differ";
}

// Compares every output with the file of its number.
class CompareAll final : public TensorSink {
 public:
  explicit CompareAll(std::filesystem::path folder)
      : folder_(std::move(folder)) {}

  Status Consume(std::size_t tap, const TensorView& tensor) override {
    ZEROPOINT_ASSIGN_OR_RETURN(
        const Tensor expected,
        ReadTensor(folder_ / ("output_" + std::to_string(tap) + ".pb")));
    if (auto difference = Difference(tensor, expected.view())) {
      return InvalidData("output " + std::to_string(tap) + ": " + *difference);
    }
    return Status();
  }

 private:
  std::filesystem::path folder_;
};

Status RunModel(const Model& model, const std::filesystem::path& data) {
  ZEROPOINT_ASSIGN_OR_RETURN(auto executor,
                             BuiltinExecutor::Create(model, {.threads = 2}));
  const onnx::GraphProto& graph = model.proto().graph();
  Feeds feeds;
  for (int i = 0; i < graph.input_size(); ++i) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        Tensor tensor,
        ReadTensor(data / ("input_" + std::to_string(i) + ".pb")));
    feeds.push_back({graph.input(i).name(), std::move(tensor)});
  }
  std::vector<std::string> taps;
  for (const auto& output : graph.output()) taps.push_back(output.name());
  CompareAll compare(data);
  return executor.Run(feeds, taps, compare);
}

Outcome RunCase(const std::filesystem::path& folder,
                const OperatorRegistry& registry) {
  auto model = Model::Load((folder / "model.onnx").string());
  if (!model.ok()) return {Outcome::kFailed, model.status().message()};
  const onnx::GraphProto& graph = model->proto().graph();
  for (const onnx::NodeProto& node : graph.node()) {
    if (!registry.Contains(node.domain(), node.op_type())) {
      return {Outcome::kSkipped, "no operator " + node.op_type()};
    }
  }
  const Status status = RunModel(*model, folder / "test_data_set_0");
  if (status.ok()) return {Outcome::kPassed, ""};
  const bool common = std::ranges::all_of(graph.input(), IsCommonType) &&
                      std::ranges::all_of(graph.output(), IsCommonType);
  const bool says_no = status.code() == StatusCode::kUnsupported ||
                       status.code() == StatusCode::kNotFound;
  const bool excused = !common || IsTraining(folder.filename().string());
  if (excused && says_no) return {Outcome::kSkipped, status.message()};
  return {Outcome::kFailed, status.message()};
}

int Main(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  std::ranges::sort(folders);
  OperatorRegistry registry;
  AddBuiltinOperators(registry);
  std::size_t counts[3] = {0, 0, 0};
  for (const auto& folder : folders) {
    const Outcome outcome = RunCase(folder, registry);
    ++counts[outcome.kind];
    if (outcome.kind == Outcome::kPassed) continue;
    std::printf("%s %s: %s\n",
                outcome.kind == Outcome::kFailed ? "FAILED" : "skipped",
                folder.filename().c_str(), outcome.reason.c_str());
  }
  std::printf("%zu skipped\n%zu passed, %zu failed\n",
              counts[Outcome::kSkipped], counts[Outcome::kPassed],
              counts[Outcome::kFailed]);
  return counts[Outcome::kFailed] > 0 || counts[Outcome::kPassed] == 0 ? 1 : 0;
}

}  // namespace
}  // namespace zeropoint

int main(int argc, char** argv) {
  if (argc != 2 || !std::filesystem::is_directory(argv[1])) {
    std::fprintf(stderr, "usage: run_cases FOLDER\n");
    return 2;
  }
  return zeropoint::Main(argv[1]);
}
