#include "zeropoint/graph/verify.h"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <string>
#include <string_view>

#include "tests/graph/parse_model.h"

namespace zeropoint {
namespace {

using testing::ParseModel;

Status Verify(Model& model) {
  auto view = GraphView::Over(model);
  return view.ok() ? VerifyModel(*view) : view.status();
}

void Fails(Model& model, std::string_view node, std::string_view fault) {
  const Status status = Verify(model);
  BOOST_TEST((status.code() == StatusCode::kInvalidModel));
  for (const std::string_view word : {node, fault}) {
    BOOST_TEST(status.message().find(word) != std::string::npos,
               status.message());
  }
}

// A pair around `x`, with the scale and zero point of `initializers`.
Model Pair(const std::string& initializers,
           const std::string& attribute = "axis = 1") {
  return ParseModel("g (float[2, 3] x) => (float[2, 3] y) <" + initializers +
                    "> {\n[quantize] q = QuantizeLinear <" + attribute +
                    "> (x, s, z)\n[dequantize] y = DequantizeLinear <" +
                    attribute + "> (q, s, z)\n}");
}

BOOST_AUTO_TEST_SUITE(verify)

BOOST_AUTO_TEST_CASE(AcceptsGoodModels) {
  for (const char* initializers :
       {"float s = {0.5}, uint8 z = {128}",
        "float[1] s = {0.5}, int8[1] z = {0}",
        "float[3] s = {1, 2, 3}, int8[3] z = {0, 0, 0}"}) {
    Model model = Pair(initializers);
    const Status status = Verify(model);
    BOOST_TEST(status.ok(), status.message());
  }
  Model negative =
      Pair("float[3] s = {1, 2, 3}, int8[3] z = {0, 0, 0}", "axis = -1");
  BOOST_TEST(Verify(negative).ok());
}

BOOST_AUTO_TEST_CASE(ScalesAreFiniteAndPositive) {
  for (const float bad :
       {0.0F, -0.0F, -1.0F, std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    Model model = Pair("float[3] s = {1, 2, 3}, int8[3] z = {0, 0, 0}");
    const Dims dims = {3};
    const std::vector<float> scales = {1.0F, bad, 1.0F};
    *model.proto().mutable_graph()->mutable_initializer(0) =
        EncodeValues<float>("s", dims, scales);
    Fails(model, "quantize", "element 1 of its scale \"s\"");
  }
  // 0x7c00 is a half's infinity, 0x3800 one half.
  for (const std::uint16_t pattern :
       {std::uint16_t{0x7c00}, std::uint16_t{0x3800}}) {
    Model model = Pair("float s = {1}, int8 z = {0}");
    onnx::TensorProto& scale =
        *model.proto().mutable_graph()->mutable_initializer(0);
    scale.clear_float_data();
    scale.set_data_type(onnx::TensorProto::FLOAT16);
    scale.set_raw_data(&pattern, sizeof pattern);
    BOOST_TEST(Verify(model).ok() == (pattern == 0x3800));
  }
}

BOOST_AUTO_TEST_CASE(ZeroPointMatchesScaleAndCodes) {
  Model shape = Pair("float[3] s = {1, 2, 3}, int8 z = {0}");
  Fails(shape, "quantize", "zero point of shape []");
  Model type = ParseModel(R"(
    g (uint8[2] x) => (float[2] y) <float s = {1}, int8 z = {0}> {
      [dequantize] y = DequantizeLinear(x, s, z)
    })");
  Fails(type, "dequantize", "zero point of type int8, but \"x\" is uint8");
  Model wide = Pair("float s = {1}, int16 z = {0}");
  Fails(wide, "quantize", "opset 21");
}

BOOST_AUTO_TEST_CASE(OneScaleAChannel) {
  Model count = Pair("float[2] s = {1, 2}, int8[2] z = {0, 0}");
  Fails(count, "quantize", "2 scales for axis 1 of a tensor of shape [2, 3]");
  Model axis = Pair("float[2] s = {1, 2}, int8[2] z = {0, 0}", "axis = 2");
  Fails(axis, "quantize", "axis 2");
  Model old = Pair("float[3] s = {1, 2, 3}, int8[3] z = {0, 0, 0}");
  old.ImportOpset("", 10);
  Fails(old, "quantize", "opset 13");
}

BOOST_AUTO_TEST_CASE(VersionsFitTogether) {
  Model model = Pair("float s = {1}, int8 z = {0}");
  model.ImportOpset("", 21);
  Fails(model, "IR version 8", "opset 21 needs at least 10");
  Model custom = ParseModel(R"(
    g (float[N] x) => (float[N] y) { [odd] y = mine.Odd(x) })");
  Fails(custom, "odd", "mine");
  custom.ImportOpset("mine", 1);
  BOOST_TEST(Verify(custom).ok());
}

// The proto may be wrong under a view that was right once.
BOOST_AUTO_TEST_CASE(IndexesAnew) {
  Model model = Pair("float s = {1}, int8 z = {0}");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  model.proto().mutable_graph()->mutable_node()->SwapElements(0, 1);
  const Status status = VerifyModel(*view);
  BOOST_TEST(status.message().find("dequantize") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
