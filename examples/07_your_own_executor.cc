// An executor of one's own: a network that a compiler turned into code runs its
// own calibration. The built-in executor, on the same network as a model, finds
// the same ranges. docs/concepts/executor.md explains it.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "onnx/defs/parser.h"
#include "zeropoint/data/data_reader.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/flow/calibrate.h"

namespace zp = zeropoint;

namespace {

constexpr const char* kModel = R"(
  <ir_version: 8, opset_import: ["" : 17]>
  g (float[1, 2] x) => (float[1, 3] y)
  <float[2, 3] w = {0.5, -1, 2, 1.5, 0.25, -0.5}, float[3] b = {0.25, 0, -1}>
  {
    h = Gemm (x, w, b)
    y = Relu (h)
  })";

// #region executor
class CompiledNetwork {
 public:
  zp::Status Run(const zp::Feeds& feeds, std::span<const std::string> taps,
                 zp::TensorSink& sink) {
    const zp::Tensor* x = zp::FindFeed(feeds, "x");
    if (x == nullptr || x->type() != zp::DataType::kFloat ||
        x->dims() != zp::Dims{1, 2}) {
      return zp::InvalidData("the network needs 'x', float of shape [1, 2]");
    }
    for (const std::string& tap : taps) {
      if (tap != "x" && tap != "h" && tap != "y") {
        return zp::NotFound("the network has no tensor '" + tap + "'");
      }
    }
    ZEROPOINT_RETURN_IF_ERROR(Deliver("x", x->view(), taps, sink));
    std::array<float, 3> values{};
    const zp::Dims dims = {1, 3};
    const zp::TensorView view(zp::DataType::kFloat, dims, values.data());
    const std::span<const float> in = x->As<float>();
    for (std::size_t j = 0; j < values.size(); ++j) {
      values[j] = in[0] * kWeights[0][j] + in[1] * kWeights[1][j] + kBias[j];
    }
    ZEROPOINT_RETURN_IF_ERROR(Deliver("h", view, taps, sink));
    // In place: the sink has copied what it keeps of h.
    for (float& value : values) value = std::max(value, 0.0f);
    return Deliver("y", view, taps, sink);
  }

 private:
  static zp::Status Deliver(const std::string& name, const zp::TensorView& view,
                            std::span<const std::string> taps,
                            zp::TensorSink& sink) {
    const auto tap = std::find(taps.begin(), taps.end(), name);
    if (tap == taps.end()) return zp::Status();
    return sink.Consume(static_cast<std::size_t>(tap - taps.begin()), view);
  }

  static constexpr float kWeights[2][3] = {{0.5f, -1.0f, 2.0f},
                                           {1.5f, 0.25f, -0.5f}};
  static constexpr float kBias[3] = {0.25f, 0.0f, -1.0f};
};
static_assert(zp::Executor<CompiledNetwork>);
// #endregion

// #region calibrate
template <zp::Executor E>
zp::Status PrintRanges(const char* title, E& executor) {
  zp::CallbackSource samples(
      [](std::size_t number) -> zp::Result<std::optional<zp::Feeds>> {
        const float t = 0.25f * static_cast<float>(number);
        const std::array<float, 2> values = {t, 1.0f - t};
        zp::Feeds feeds;
        feeds.push_back({"x", zp::Tensor::Of<float>({1, 2}, values)});
        return std::optional(std::move(feeds));
      },
      /*samples=*/9);
  const std::array<zp::CalibrationTarget, 3> targets = {
      {{.name = "h"}, {.name = "x"}, {.name = "y"}}};
  ZEROPOINT_ASSIGN_OR_RETURN(
      const zp::CalibrationResult found,
      zp::Calibrate(executor, samples, targets, zp::CalibrationSpec(),
                    zp::SchemeSpec(), zp::DispatchedKernels()));
  std::printf("%s\n", title);
  for (const auto& [name, tensor] : found.table) {
    std::printf("  %s [%.2f, %.2f], %s\n", name.c_str(), tensor.range.lo,
                tensor.range.hi, tensor.why.c_str());
  }
  return zp::Status();
}
// #endregion

zp::Status Run(const zp::Model& model) {
  CompiledNetwork compiled;
  ZEROPOINT_RETURN_IF_ERROR(PrintRanges("compiled network", compiled));
  ZEROPOINT_ASSIGN_OR_RETURN(zp::BuiltinExecutor builtin,
                             zp::BuiltinExecutor::Create(model));
  return PrintRanges("built-in executor", builtin);
}

}  // namespace

int main() {
  onnx::ModelProto proto;
  if (!onnx::OnnxParser::Parse(proto, kModel).IsOK()) return 1;
  const zp::Result<zp::Model> model = zp::Model::FromProto(std::move(proto));
  return model.ok() && Run(*model).ok() ? 0 : 1;
}
