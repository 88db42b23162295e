#include "zeropoint/profiles/for_form.h"

#include <boost/test/unit_test.hpp>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/profiles/generic.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zeropoint {

BOOST_AUTO_TEST_SUITE(for_form)

BOOST_AUTO_TEST_CASE(QdqIsTheTargetItself) {
  const TargetSpec target =
      ForForm(OnnxRuntimeCpu::Spec(), Form::kQdq, /*microsoft=*/true);
  BOOST_TEST(target.operators.size() ==
             OnnxRuntimeCpu::Spec().operators.size());
  BOOST_TEST((target.Find("MatMul")->output == OutputKind::kFloat));
}

BOOST_AUTO_TEST_CASE(OperatorsOnCodesWriteCodes) {
  const TargetSpec target =
      ForForm(OnnxRuntimeCpu::Spec(), Form::kQOperator, /*microsoft=*/false);
  BOOST_TEST((target.Find("MatMul")->output == OutputKind::kOwnRange));
  BOOST_TEST((target.Find("Relu")->output == OutputKind::kSharesInput));
  // ONNX has no form on codes of these.
  for (const char* op_type : {"Add", "Gemm", "Tanh", "ConvTranspose"}) {
    BOOST_TEST((target.Find(op_type) == nullptr), op_type);
  }
  BOOST_TEST(target.Find("Conv")->min_macs > 0);
}

BOOST_AUTO_TEST_CASE(TheMicrosoftDomainMakesItIntegerThroughout) {
  const TargetSpec target =
      ForForm(OnnxRuntimeCpu::Spec(), Form::kQOperator, /*microsoft=*/true);
  for (const char* op_type : {"Add", "Mul", "Gemm", "Softmax", "Conv"}) {
    BOOST_REQUIRE_MESSAGE(target.Find(op_type) != nullptr, op_type);
    BOOST_TEST((target.Find(op_type)->placement == Placement::kAlways));
    BOOST_TEST(target.Find(op_type)->min_macs == 0);
  }
  BOOST_TEST(!target.Find("Conv")->grouped_in_islands);
  BOOST_TEST((target.Find("Tanh") == nullptr));
}

BOOST_AUTO_TEST_CASE(SoftmaxHasTheScaleOfQLinearSoftmax) {
  const TargetSpec target =
      ForForm(Generic::Spec(), Form::kQOperator, /*microsoft=*/true);
  BOOST_TEST((ChooseQParams(*target.FixedRange("Softmax"),
                            target.activations) == QParams{1.0f / 256, 0}));
  SchemeSpec signed_codes = target.activations;
  signed_codes.storage = DataType::kInt8;
  signed_codes.qmin = -128;
  signed_codes.qmax = 127;
  BOOST_TEST((ChooseQParams(*target.FixedRange("Softmax"), signed_codes) ==
              QParams{1.0f / 256, -128}));
}

BOOST_AUTO_TEST_CASE(IntegerSumsWriteFloat) {
  const TargetSpec target =
      ForForm(Generic::Spec(), Form::kInteger, /*microsoft=*/false);
  BOOST_TEST(target.operators.size() == 3u);
  for (const OperatorRule& rule : target.operators) {
    BOOST_TEST((rule.output == OutputKind::kFloat));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint
