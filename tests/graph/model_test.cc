#include "zeropoint/graph/model.h"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/graph/parse_model.h"
#include "tests/testing.h"

namespace zeropoint {
namespace {

namespace fs = std::filesystem;

using testing::ParseModel;
using testing::ParseProto;

onnx::ModelProto SmallModel() {
  return ParseProto(R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[4] x) => (float[4] y) <float[4] w = {1, 2, 3, 4}> {
      y = Add(x, w)
    })");
}

// SmallModel, whose weight is said to lie in `location`.
onnx::ModelProto WithExternalWeight(const std::string& location,
                                    const std::string& offset = "0",
                                    const std::string& length = "16") {
  onnx::ModelProto proto = SmallModel();
  onnx::TensorProto& weight = *proto.mutable_graph()->mutable_initializer(0);
  weight.clear_float_data();
  weight.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto add = [&](const char* key, const std::string& value) {
    auto& entry = *weight.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  };
  if (!location.empty()) add("location", location);
  add("offset", offset);
  if (!length.empty()) add("length", length);
  return proto;
}

std::vector<float> Weight(const Model& model, int i = 0) {
  Tensor scratch;
  const auto data = model.Data(model.proto().graph().initializer(i), scratch);
  REQUIRE_OK(data);
  const auto values = data->As<float>();
  return {values.begin(), values.end()};
}

const std::vector<float> kWeight = {1, 2, 3, 4};

std::string BytesOfWeight() {
  return {reinterpret_cast<const char*>(kWeight.data()), 16};
}

BOOST_AUTO_TEST_SUITE(model)

// --- Files that are no models -----------------------------------------------

BOOST_AUTO_TEST_CASE(EveryPrefixOfAModelIsRefused) {
  const TempFolder folder;
  onnx::ModelProto proto = SmallModel();
  proto.set_producer_name("someone");
  const std::string bytes = proto.SerializeAsString();
  REQUIRE_OK(Model::Load(folder.Write("whole.onnx", bytes)));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    BOOST_TEST_CONTEXT("the first " << size << " bytes") {
      const std::string path =
          folder.Write("cut.onnx", std::string_view(bytes).substr(0, size));
      CheckError(Model::Load(path).status(), StatusCode::kInvalidModel,
                 {"cut.onnx"});
    }
  }
}

BOOST_AUTO_TEST_CASE(OtherFilesAreRefused) {
  const TempFolder folder;
  CheckError(Model::Load(folder.File("none.onnx")).status(),
             StatusCode::kNotFound, {"none.onnx"});
  CheckError(Model::Load(folder.path()).status(), StatusCode::kIoError,
             {folder.path(), "regular file"});
  CheckError(Model::Load("/dev/null").status(), StatusCode::kIoError,
             {"/dev/null", "regular file"});
  CheckError(Model::Load(folder.Write("empty.onnx", "")).status(),
             StatusCode::kInvalidModel, {"empty.onnx", "empty"});
  const std::string png("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
  for (const std::string& text : {std::string("hello, I am a text file\n"), png,
                                  std::string(500, '\0')}) {
    CheckError(Model::Load(folder.Write("other.onnx", text)).status(),
               StatusCode::kInvalidModel, {"other.onnx", "not an ONNX model"});
  }
  onnx::ModelProto headless;
  headless.set_ir_version(8);
  headless.add_opset_import()->set_version(13);
  CheckError(Model::Load(folder.Write("h.onnx", headless.SerializeAsString()))
                 .status(),
             StatusCode::kInvalidModel, {"h.onnx", "no graph"});
  CheckError(Model::FromProto(headless).status(), StatusCode::kInvalidModel,
             {"no graph"});
}

// --- Data that does not fill its shape --------------------------------------

BOOST_AUTO_TEST_CASE(DataMustFillTheShape) {
  const auto error_of = [](auto edit) {
    onnx::ModelProto proto = SmallModel();
    edit(*proto.mutable_graph()->mutable_initializer(0));
    auto model = Model::FromProto(std::move(proto));
    REQUIRE_OK(model);
    Tensor scratch;
    return model->Data(model->proto().graph().initializer(0), scratch).status();
  };
  using T = onnx::TensorProto;
  const auto code = StatusCode::kInvalidModel;
  CheckError(error_of([](T& w) { w.set_dims(0, 5); }), code, {"\"w\"", "20"});
  CheckError(error_of([](T& w) { w.set_dims(0, -4); }), code, {"\"w\"", "-4"});
  CheckError(error_of([](T& w) {
               w.add_dims(std::int64_t{1} << 40);
               w.add_dims(std::int64_t{1} << 40);
             }),
             code, {"\"w\"", "no memory"});
  CheckError(error_of([](T& w) { w.add_dims(std::int64_t{1} << 40); }), code,
             {"\"w\""});
  CheckError(error_of([](T& w) { w.set_raw_data("123"); }), code,
             {"\"w\"", "raw_data"});
  CheckError(error_of([](T& w) {
               w.set_data_type(T::INT8);
               for (const int value : {1, 2, 3, 300}) w.add_int32_data(value);
             }),
             code, {"\"w\"", "element 3", "300"});
  CheckError(error_of([](T& w) { w.set_data_type(99); }),
             StatusCode::kUnsupported, {"\"w\"", "99"});
}

// --- External data ----------------------------------------------------------

BOOST_AUTO_TEST_CASE(ReadsDataFiles) {
  const TempFolder folder;
  folder.Write("sub/weights.bin", std::string(64, '\0') + BytesOfWeight());
  for (const char* length : {"16", ""}) {
    const auto model = Model::Load(folder.Write(
        "m.onnx", WithExternalWeight("sub/weights.bin", "64", length)
                      .SerializeAsString()));
    REQUIRE_OK(model);
    BOOST_TEST(Weight(*model) == kWeight, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(ReadsUnalignedData) {
  const TempFolder folder;
  folder.Write("w.bin", "x" + BytesOfWeight());
  const auto model = Model::Load(folder.Write(
      "m.onnx", WithExternalWeight("w.bin", "1").SerializeAsString()));
  REQUIRE_OK(model);
  BOOST_TEST(Weight(*model) == kWeight, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(HostileReferencesAreRefused) {
  const TempFolder folder;
  folder.Write("secret.bin", BytesOfWeight());
  folder.Write("model/w.bin", BytesOfWeight());
  fs::create_symlink("../secret.bin", folder.File("model/link.bin"));
  fs::create_symlink("..", folder.File("model/up"));
  fs::create_directory(folder.File("model/folder"));
  const auto load = [&](const onnx::ModelProto& proto) {
    return Model::Load(folder.Write("model/m.onnx", proto.SerializeAsString()))
        .status();
  };
  REQUIRE_OK(load(WithExternalWeight("w.bin")));
  const auto invalid = StatusCode::kInvalidModel;

  for (const std::string& outside :
       {std::string("../secret.bin"), std::string("folder/../../secret.bin"),
        folder.File("secret.bin"), folder.File("model/w.bin"),
        std::string("link.bin"), std::string("up/secret.bin"),
        std::string("w.bin\0x", 7)}) {
    BOOST_TEST_CONTEXT(outside) {
      CheckError(load(WithExternalWeight(outside)), invalid,
                 {"\"w\"", "outside the model's folder"});
    }
  }
  CheckError(load(WithExternalWeight("gone.bin")), StatusCode::kNotFound,
             {"\"w\"", "gone.bin"});
  CheckError(load(WithExternalWeight("folder")), StatusCode::kIoError,
             {"folder", "regular file"});
  CheckError(load(WithExternalWeight("")), invalid, {"\"w\"", "no file"});
  CheckError(load(WithExternalWeight("w.bin", "1")), invalid,
             {"\"w\"", "offset 1", "cut short"});
  CheckError(load(WithExternalWeight("w.bin", "18446744073709551615")), invalid,
             {"\"w\"", "w.bin"});
  CheckError(load(WithExternalWeight("w.bin", "99999999999999999999")), invalid,
             {"\"w\"", "not a size"});
  CheckError(load(WithExternalWeight("w.bin", "-1")), invalid,
             {"\"w\"", "\"-1\""});
  CheckError(load(WithExternalWeight("w.bin", "0", "12")), invalid,
             {"\"w\"", "16", "12"});
  CheckError(load(WithExternalWeight("w.bin", "0", "4096")), invalid,
             {"\"w\"", "4096"});
}

// --- Saving -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(ExternalDataMakesTheRoundTrip) {
  const TempFolder folder;
  auto small = Model::FromProto(SmallModel());
  REQUIRE_OK(small);
  REQUIRE_OK(small->Save(folder.File("a.onnx"),
                         {.external_data = ExternalDataPolicy::kAlways,
                          .external_data_threshold = 16}));
  BOOST_TEST(fs::exists(folder.File("a.onnx.data")));
  auto external = Model::Load(folder.File("a.onnx"));
  REQUIRE_OK(external);
  BOOST_TEST(IsExternal(external->proto().graph().initializer(0)));
  BOOST_TEST(Weight(*external) == kWeight, boost::test_tools::per_element());

  // As loaded: to a data file of the new name.
  REQUIRE_OK(external->Save(folder.File("b.onnx")));
  fs::remove(folder.File("a.onnx.data"));
  auto again = Model::Load(folder.File("b.onnx"));
  REQUIRE_OK(again);
  BOOST_TEST(Weight(*again) == kWeight, boost::test_tools::per_element());

  // Over the very file that it is mapped from.
  REQUIRE_OK(again->Save(folder.File("b.onnx")));
  again = Model::Load(folder.File("b.onnx"));
  REQUIRE_OK(again);
  BOOST_TEST(Weight(*again) == kWeight, boost::test_tools::per_element());

  REQUIRE_OK(again->Save(folder.File("c.onnx"),
                         {.external_data = ExternalDataPolicy::kNever}));
  BOOST_TEST(!fs::exists(folder.File("c.onnx.data")));
  again = Model::Load(folder.File("c.onnx"));
  REQUIRE_OK(again);
  BOOST_TEST(Weight(*again) == kWeight, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(LargeMessagesForceExternalData) {
  const TempFolder folder;
  onnx::ModelProto proto = SmallModel();
  const std::vector<float> values(1000, 0.5F);
  const Dims dims = {1000};
  *proto.mutable_graph()->add_initializer() =
      EncodeValues<float>("large", dims, values);
  auto model = Model::FromProto(std::move(proto));
  REQUIRE_OK(model);
  SaveOptions options{.external_data_threshold = 1024,
                      .max_message_bytes = 2000};
  REQUIRE_OK(model->Save(folder.File("m.onnx"), options));
  const auto loaded = Model::Load(folder.File("m.onnx"));
  REQUIRE_OK(loaded);
  BOOST_TEST(!IsExternal(loaded->proto().graph().initializer(0)));
  BOOST_TEST(IsExternal(loaded->proto().graph().initializer(1)));
  BOOST_TEST((Weight(*loaded, 1) == values));

  options.external_data = ExternalDataPolicy::kNever;
  CheckError(model->Save(folder.File("never.onnx"), options),
             StatusCode::kUnsupported, {"never.onnx", "2000"});
  options.external_data = ExternalDataPolicy::kAsLoaded;
  options.max_message_bytes = 20;
  CheckError(model->Save(folder.File("never.onnx"), options),
             StatusCode::kUnsupported, {"never.onnx"});
  BOOST_TEST(folder.Count() == 2U, "m.onnx and its data, nothing else");
}

BOOST_AUTO_TEST_CASE(SameModelSameBytes) {
  const TempFolder folder;
  auto model = Model::FromProto(SmallModel());
  REQUIRE_OK(model);
  REQUIRE_OK(model->Save(folder.File("a.onnx")));
  REQUIRE_OK(model->Save(folder.File("b.onnx")));
  BOOST_TEST((folder.Read("a.onnx") == folder.Read("b.onnx")));
}

BOOST_AUTO_TEST_CASE(UnwritableTargetsLeaveNothing) {
  const TempFolder folder;
  auto model = Model::FromProto(SmallModel());
  REQUIRE_OK(model);
  CheckError(model->Save(folder.File("no/such/m.onnx")), StatusCode::kIoError,
             {"m.onnx"});
  fs::create_directory(folder.File("taken.onnx"));
  CheckError(model->Save(folder.File("taken.onnx")), StatusCode::kIoError,
             {"taken.onnx"});
  BOOST_TEST(folder.Count() == 1U);
}

// A disk that fills up, as far as a process can play one.
BOOST_AUTO_TEST_CASE(FailedWriteKeepsTheOldFile) {
  const TempFolder folder;
  onnx::ModelProto proto = SmallModel();
  proto.set_doc_string(std::string(100'000, 'x'));
  auto model = Model::FromProto(std::move(proto));
  REQUIRE_OK(model);
  folder.Write("m.onnx", "old");
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_limit) == 0);
  rlimit limit = old_limit;
  limit.rlim_cur = 4096;
  BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const Status saved = model->Save(folder.File("m.onnx"));
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  CheckError(saved, StatusCode::kIoError, {"m.onnx"});
  BOOST_TEST(folder.Read("m.onnx") == "old");
  BOOST_TEST(folder.Count() == 1U);
}

// --- Operator sets ----------------------------------------------------------

BOOST_AUTO_TEST_CASE(DefaultDomainHasTwoNames) {
  Model model = ParseModel(R"(
    g (float[N] x) => (float[N] y) { y = Relu(x) })");
  BOOST_TEST(model.opset() == 13);
  BOOST_TEST(model.opset("ai.onnx") == 13);
  BOOST_TEST(model.opset("mine") == 0);
  model.ImportOpset("ai.onnx", 17);
  model.ImportOpset("mine", 2);
  BOOST_TEST(model.opset() == 17);
  BOOST_TEST(model.opset("mine") == 2);
  BOOST_TEST(model.proto().opset_import_size() == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
