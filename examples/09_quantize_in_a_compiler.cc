// Quantization as a pass of a compiler with an IR of its own, built without
// exceptions and RTTI. docs/guide/in-a-compiler.md explains it.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zp = zeropoint;

namespace {

// #region ir
/// The compiler's own IR: an operation makes one value of another.
struct Op {
  std::string kind;
  std::string result;
  std::string operand;
  std::map<std::string, std::vector<float>> attributes = {};
  std::vector<std::int8_t> codes = {};
};
using Block = std::vector<Op>;
/// What its analysis, or a calibration, says of the values.
using Ranges = std::map<std::string, zp::RealRange>;
// #endregion

// #region pass
class QuantizeDense {
 public:
  QuantizeDense(const Ranges& ranges, const zp::KernelTable& kernels)
      : ranges_(ranges), kernels_(kernels) {}

  /// Appends what `op` becomes: a dense layer of weights [rows, columns].
  zp::Status Run(const Op& op, Block& block) const {
    if (op.kind != "dense") return zp::Unsupported("no dense layer");
    ZEROPOINT_ASSIGN_OR_RETURN(const zp::QParams x, ParamsOf(op.operand));
    ZEROPOINT_ASSIGN_OR_RETURN(const zp::QParams y, ParamsOf(op.result));
    const std::vector<float>& weights = op.attributes.at("weights");
    const auto rows = static_cast<std::size_t>(op.attributes.at("rows")[0]);
    const std::size_t columns = weights.size() / rows;
    Op dense{"q.dense", op.result + "_q", op.operand + "_q"};
    dense.codes.resize(weights.size());
    for (std::size_t i = 0; i < rows; ++i) {
      const float* row = weights.data() + i * columns;
      zp::MinMaxState seen;
      kernels_.min_max(row, columns, &seen);
      if (seen.finite < columns) return zp::InvalidData("not finite");
      const zp::QParams w = zp::ChooseQParams({seen.lo, seen.hi}, kWeights);
      kernels_.quantize_i8(row, columns, w, {kWeights.qmin, kWeights.qmax},
                           dense.codes.data() + i * columns);
      dense.attributes["multipliers"].push_back(x.scale * w.scale / y.scale);
    }
    block.push_back(Cast("q.quantize", op.operand, dense.operand, x));
    block.push_back(dense);
    block.push_back(Cast("q.dequantize", dense.result, op.result, y));
    return zp::Status();
  }

 private:
  static constexpr zp::SchemeSpec kActivations =
      zp::SpecOf<zp::Affine<std::int8_t>>();
  static constexpr zp::SchemeSpec kWeights =
      zp::SpecOf<zp::Affine<std::int8_t, zp::Symmetric, zp::PerChannel<0>,
                            zp::NarrowRange>>();

  zp::Result<zp::QParams> ParamsOf(const std::string& value) const {
    const auto range = ranges_.find(value);
    if (range == ranges_.end()) return zp::NotFound("no range of " + value);
    return zp::ChooseQParams(range->second, kActivations);
  }
  static Op Cast(const char* kind, const std::string& from,
                 const std::string& to, const zp::QParams& params) {
    const auto zero = static_cast<float>(params.zero_point);
    return {kind, to, from, {{"scale", {params.scale}}, {"zero", {zero}}}};
  }

  const Ranges& ranges_;
  const zp::KernelTable& kernels_;
};
// #endregion

void Print(const Op& op) {
  std::printf("%%%s = %s(%%%s)", op.result.c_str(), op.kind.c_str(),
              op.operand.c_str());
  for (const auto& [name, values] : op.attributes) {
    std::printf(" %s =", name.c_str());
    for (const float value : values) std::printf(" %g", value);
  }
  if (!op.codes.empty()) std::printf(" codes =");
  for (const int code : op.codes) std::printf(" %d", code);
  std::printf("\n");
}

}  // namespace

int main() {
  const Block source = {
      {"dense", "h", "x", {{"rows", {2}}, {"weights", {1, -0.5f, 0.1f, 0.2f}}}},
      {"relu", "r", "h"},
      {"dense", "y", "r", {{"rows", {1}}, {"weights", {3, 4}}}}};
  const Ranges ranges = {
      {"x", {-1, 1}}, {"h", {-1.5f, 1.5f}}, {"r", {0, 1.5f}}};
  const QuantizeDense pass(ranges, zp::DispatchedKernels());
  for (const Op& op : source) {
    Block block;
    const zp::Status status = pass.Run(op, block);
    for (const Op& each : status.ok() ? block : Block{op}) Print(each);
    if (!status.ok()) std::printf("  stays: %s\n", status.message().c_str());
  }
  return 0;
}
