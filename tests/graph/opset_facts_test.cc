#include "zeropoint/graph/opset_facts.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "onnx/defs/schema.h"
#include "zeropoint/graph/onnx_tools.h"

namespace zeropoint {
namespace {

static_assert(LowestIrVersion(1) == 3 && LowestIrVersion(8) == 3);
static_assert(LowestIrVersion(9) == 4);
static_assert(LowestIrVersion(10) == 5);
static_assert(LowestIrVersion(11) == 6);
static_assert(LowestIrVersion(12) == 7 && LowestIrVersion(14) == 7);
static_assert(LowestIrVersion(15) == 8 && LowestIrVersion(18) == 8);
static_assert(LowestIrVersion(19) == 9 && LowestIrVersion(20) == 9);
static_assert(LowestIrVersion(21) == 10 && LowestIrVersion(22) == 10);
static_assert(LowestIrVersion(23) == 11);
static_assert(LowestIrVersion(24) == 12);
static_assert(LowestIrVersion(25) == 13 && LowestIrVersion(27) == 13);
static_assert(LowestIrVersion(28) == 14);
static_assert(LowestIrVersion(1000) == LowestIrVersion(kNewestOpset));

static_assert(FirstOpset("QuantizeLinear") == 10);
static_assert(FirstOpset("DynamicQuantizeLinear") == 11);
static_assert(FirstOpset("HardSwish") == 14);
static_assert(FirstOpset("LayerNormalization") == 17);
static_assert(FirstOpset("Gelu") == 20);
static_assert(!FirstOpset("NoSuchOperator"));

static_assert(OutputChannelAxis("Conv", 4) == 0);
static_assert(OutputChannelAxis("ConvTranspose", 3) == 1);
static_assert(OutputChannelAxis("Gemm", 2) == 1);
static_assert(OutputChannelAxis("Gemm", 2, /*transposed=*/true) == 0);
static_assert(OutputChannelAxis("MatMul", 2) == 1);
static_assert(OutputChannelAxis("MatMul", 4) == 3);
static_assert(!OutputChannelAxis("MatMul", 1), "a vector has no columns");
static_assert(!OutputChannelAxis("Conv", 2));
static_assert(!OutputChannelAxis("Relu", 4));
static_assert(OutputChannelAxis("InstanceNormalization", 1) == 0);
static_assert(OutputChannelAxis("LayerNormalization", 1) == 0);
static_assert(OutputChannelAxis("BatchNormalization", 1) == 0);
static_assert(OutputChannelAxis("GroupNormalization", 1) == 0);
static_assert(!OutputChannelAxis("LayerNormalization", 2),
              "one scale an element is no channel");

static_assert(ReductionAxis("Conv", 4) == 1);
static_assert(ReductionAxis("ConvTranspose", 4) == 0);
static_assert(ReductionAxis("Gemm", 2) == 0);
static_assert(ReductionAxis("Gemm", 2, /*transposed=*/true) == 1);
static_assert(ReductionAxis("MatMul", 2) == 0);
static_assert(ReductionAxis("MatMul", 3) == 1);
static_assert(!ReductionAxis("LayerNormalization", 1));
static_assert(!ReductionAxis("Relu", 4));

BOOST_AUTO_TEST_SUITE(opset_facts)

BOOST_AUTO_TEST_CASE(FirstOpsetsAreOnnxs) {
  for (const auto& entry : internal::kFirstOpset) {
    const std::string op_type(entry.op_type);
    BOOST_TEST_CONTEXT(op_type) {
      BOOST_TEST(FindSchema(op_type, entry.opset).since == entry.opset);
      BOOST_TEST(!FindSchema(op_type, entry.opset - 1).known);
    }
  }
}

BOOST_AUTO_TEST_CASE(NewestOpsetIsOnnxs) {
  const auto& versions =
      onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  BOOST_TEST(versions.at("").second == kNewestOpset);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
