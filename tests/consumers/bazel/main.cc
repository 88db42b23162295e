// Quantizes a vector, then a model, by one pass.
//   quantize MODEL.onnx OUTPUT.onnx
#include <array>
#include <cstdint>
#include <cstdio>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/scheme.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/upgrade.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/insert_dynamic_quantization.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zp = zeropoint;

namespace {

void QuantizeVector() {
  constexpr zp::SchemeSpec kScheme = zp::SpecOf<zp::Affine<std::uint8_t>>();
  constexpr std::array kReal = {-1.0f, -0.3f, 0.0f, 0.5f, 1.0f, 2.0f, 2.5f};
  std::array<std::uint8_t, kReal.size()> codes{};
  zp::DispatchedKernels().quantize_u8(
      kReal.data(), kReal.size(), zp::ChooseQParams({-1.0f, 2.0f}, kScheme),
      {kScheme.qmin, kScheme.qmax}, codes.data());
  std::printf("codes:");
  for (const std::uint8_t code : codes) std::printf(" %d", code);
  std::printf("\n");
}

zp::Status QuantizeModel(const char* path, const char* output) {
  ZEROPOINT_ASSIGN_OR_RETURN(zp::Model model, zp::Model::Load(path));
  ZEROPOINT_RETURN_IF_ERROR(zp::UpgradeOpset(model, 13));
  ZEROPOINT_ASSIGN_OR_RETURN(zp::GraphView graph, zp::GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(zp::InferTypes(graph));
  const zp::TargetSpec target = zp::OnnxRuntimeCpu::Spec();
  zp::PassContext context;
  context.target = &target;
  zp::InsertDynamicQuantization pass;
  ZEROPOINT_ASSIGN_OR_RETURN(const zp::PassReport report,
                             pass.Run(graph, context));
  std::printf("quantized: %zu\n", report.rewrites);
  return model.Save(output);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  QuantizeVector();
  const zp::Status status = QuantizeModel(argv[1], argv[2]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
