// Quantizes a vector, then a model.
//   quantize MODEL.onnx OUTPUT.onnx
#include <array>
#include <cstdint>
#include <cstdio>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/scheme.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/flow/quantize_dynamic.h"
#include "zeropoint/kernels/kernel_table.h"

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
  ZEROPOINT_ASSIGN_OR_RETURN(const zp::QuantizationReport report,
                             zp::QuantizeDynamic(model, {}));
  std::printf("quantized:");
  for (const auto& node : report.quantized.nodes) {
    std::printf(" %s", node.c_str());
  }
  std::printf("\n");
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
