#include "zeropoint/data/feed_source.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/data/numpy_files.h"
#include "tests/testing.h"
#include "zeropoint/data/npz_writer.h"
#include "zeropoint/data/tensor_proto.h"

namespace zeropoint {
namespace {

// The inputs that the file kDeflatedNpz feeds; `ids` comes first here.
FeedSourceOptions Options() {
  return {.inputs = {
              {.name = "ids", .type = DataType::kInt64, .dims = Dims{-1, 2}},
              {.name = "x", .type = DataType::kUint8, .dims = Dims{1, 2, 2}}}};
}

// A .npz of arrays whose samples count up from 0.
void WriteNpz(const std::string& path, const std::vector<NpzArraySpec>& arrays,
              std::size_t samples) {
  auto writer = NpzWriter::Create(path, arrays, samples);
  REQUIRE_OK(writer);
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    for (std::size_t k = 0; k < samples; ++k) {
      Tensor sample(arrays[i].type, arrays[i].sample_dims);
      const auto fill = [&]<class T>() {
        for (T& value : sample.MutableAs<T>()) value = static_cast<T>(k);
        return Status();
      };
      REQUIRE_OK(VisitDataType(arrays[i].type, fill));
      REQUIRE_OK(writer->Append(i, sample.view()));
    }
  }
  REQUIRE_OK(writer->Commit());
}

std::size_t CountSamples(FeedSource& source) {
  std::size_t count = 0;
  for (;; ++count) {
    const auto feeds = source.Next();
    REQUIRE_OK(feeds);
    if (!feeds->has_value()) return count;
  }
}

BOOST_AUTO_TEST_SUITE(feed_source)

BOOST_AUTO_TEST_CASE(FeedsAnNpz) {
  const TempFolder folder;
  const std::string path = folder.Write("a.npz", FromHex(kDeflatedNpz));
  auto source = OpenFeedSource(path, Options());
  REQUIRE_OK(source);
  BOOST_TEST((*source)->size().value() == 3u);
  for (int round = 0; round < 2; ++round) {
    for (std::uint8_t k = 0; k < 3; ++k) {
      const auto feeds = (*source)->Next();
      REQUIRE_OK(feeds);
      BOOST_REQUIRE(feeds->has_value());
      BOOST_REQUIRE((*feeds)->size() == 2u);
      BOOST_TEST((**feeds)[0].name == "ids");
      BOOST_TEST((**feeds)[1].name == "x");
      const Tensor& ids = *FindFeed(**feeds, "ids");
      BOOST_TEST((ids.dims() == Dims{1, 2}));
      BOOST_TEST(ids.As<std::int64_t>()[0] == 2 * k - 1);
      BOOST_TEST(FindFeed(**feeds, "x")->As<std::uint8_t>()[3] == 4 * k + 3);
    }
    const auto end = (*source)->Next();
    REQUIRE_OK(end);
    BOOST_TEST(!end->has_value());
    REQUIRE_OK((*source)->Rewind());
  }
}

BOOST_AUTO_TEST_CASE(LabelsFollowTheSamples) {
  const TempFolder folder;
  const std::string path = folder.Write("a.npz", FromHex(kDeflatedNpz));
  FeedSourceOptions options = Options();
  auto all = OpenFeedSource(path, options);
  REQUIRE_OK(all);
  BOOST_TEST((*all)->label_names() ==
                 (std::vector<std::string>{"__labels__", "__text__"}),
             boost::test_tools::per_element());
  const auto labels = (*all)->ClassLabels(kLabels);
  REQUIRE_OK(labels);
  BOOST_TEST(*labels == (std::vector<std::int64_t>{7, 8, 9}),
             boost::test_tools::per_element());

  options.skip = 1;
  options.limit = 1;
  auto one = OpenFeedSource(path, options);
  REQUIRE_OK(one);
  BOOST_TEST((*one)->size().value() == 1u);
  BOOST_TEST((*one)->ClassLabels(kLabels)->at(0) == 8);
  const auto texts = (*one)->TextLabels("__text__");
  REQUIRE_OK(texts);
  BOOST_TEST(*texts == (std::vector<std::string>{"\u00fcn\u00ef"}),
             boost::test_tools::per_element());
  BOOST_TEST(CountSamples(**one) == 1u);

  CheckError((*all)->ClassLabels("__class__").status(), StatusCode::kNotFound,
             {"a.npz", "__class__"});
  CheckError((*all)->ClassLabels("x").status(), StatusCode::kNotFound, {"'x'"});
  CheckError((*all)->ClassLabels("__text__").status(), StatusCode::kInvalidData,
             {"__text__", "string", "whole"});
  CheckError((*all)->TextLabels(kLabels).status(), StatusCode::kInvalidData,
             {"__labels__", "int32", "text"});
}

BOOST_AUTO_TEST_CASE(LabelsAreWholeNumbersOneASample) {
  const TempFolder folder;
  const std::string path = folder.File("a.npz");
  WriteNpz(path,
           {{"x", DataType::kFloat, {1}},
            {"__boxes__", DataType::kInt32, {4}},
            {"__score__", DataType::kFloat, {}}},
           2);
  auto source = OpenFeedSource(
      path, {.inputs = {{.name = "x", .type = DataType::kFloat}}});
  REQUIRE_OK(source);
  CheckError((*source)->ClassLabels("__boxes__").status(),
             StatusCode::kInvalidData, {"__boxes__", "[2, 4]"});
  CheckError((*source)->ClassLabels("__score__").status(),
             StatusCode::kInvalidData, {"__score__", "real"});
}

BOOST_AUTO_TEST_CASE(AppliesThePreprocessFile) {
  const TempFolder folder;
  const std::string data = folder.File("a.npz");
  WriteNpz(data, {{"x", DataType::kUint8, {1, 2, 2}}}, 3);
  FeedSourceOptions options = {
      .inputs = {
          {.name = "x", .type = DataType::kFloat, .dims = Dims{-1, 2, 2}}}};
  CheckError(OpenFeedSource(data, options).status(), StatusCode::kInvalidData,
             {"a.npz", "'x'", "uint8", "--preprocess"});
  options.preprocess_file = folder.Write(
      "p.json", R"({"inputs": {"x": {"scale": [1, 2], "offset": 0.5}}})");
  options.skip = 2;
  auto source = OpenFeedSource(data, options);
  REQUIRE_OK(source);
  const auto feeds = (*source)->Next();
  REQUIRE_OK(feeds);
  const std::vector<float> wanted = {2.5f, 2.5f, 4.5f, 4.5f};
  BOOST_TEST((**feeds)[0].tensor.As<float>() == wanted,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ArraysMustFitTheInputs) {
  const TempFolder folder;
  const std::string path = folder.File("a.npz");
  const std::vector<InputDescription> inputs = {
      {.name = "x", .type = DataType::kFloat, .dims = Dims{-1, 3}},
      {.name = "mask", .type = DataType::kInt64, .dims = Dims{-1, 3}}};
  const NpzArraySpec x = {"x", DataType::kFloat, {1, 3}};
  const NpzArraySpec mask = {"mask", DataType::kInt64, {1, 3}};
  const auto check = [&](const std::vector<NpzArraySpec>& arrays,
                         std::initializer_list<std::string_view> words) {
    WriteNpz(path, arrays, 2);
    CheckError(OpenFeedSource(path, {.inputs = inputs}).status(),
               StatusCode::kInvalidData, words);
  };
  check({x}, {"a.npz", "'mask'", "'x', 'mask'"});
  check({x, mask, {"y", DataType::kFloat, {1}}},
        {"a.npz", "'y'", "'x', 'mask'"});
  check({x, {"mask", DataType::kInt32, {1, 3}}}, {"'mask'", "int32", "int64"});
  check({{"x", DataType::kDouble, {1, 3}}, mask}, {"'x'", "double", "float"});
  check({{"x", DataType::kFloat, {3}}, mask}, {"'x'", "[3]", "[any, 3]"});
  check({{"x", DataType::kFloat, {1, 4}}, mask}, {"'x'", "[1, 4]", "[any, 3]"});

  WriteNpz(path, {x, mask}, 0);
  CheckError(OpenFeedSource(path, {.inputs = inputs}).status(),
             StatusCode::kInvalidData, {"a.npz", "no samples"});
  folder.Write("a.npz", FromHex(kEmptyNpz));
  CheckError(OpenFeedSource(path, {.inputs = inputs}).status(),
             StatusCode::kInvalidData, {"a.npz", "'x'"});
}

BOOST_AUTO_TEST_CASE(ArraysHoldEquallyManySamples) {
  const TempFolder folder;
  const std::string path = folder.Write("a.npz", FromHex(kUnevenNpz));
  const FeedSourceOptions options = {
      .inputs = {{.name = "x", .type = DataType::kUint8},
                 {.name = "y", .type = DataType::kUint8}}};
  CheckError(OpenFeedSource(path, options).status(), StatusCode::kInvalidData,
             {"a.npz", "'y'", "2 samples", "'x' has 3"});
}

BOOST_AUTO_TEST_CASE(InputsWithADefaultNeedNoArray) {
  const TempFolder folder;
  const std::string path = folder.File("a.npz");
  FeedSourceOptions options = {
      .inputs = {{.name = "x", .type = DataType::kFloat},
                 {.name = "w", .type = DataType::kFloat, .optional = true}}};
  WriteNpz(path, {{"x", DataType::kFloat, {1}}}, 1);
  auto without = OpenFeedSource(path, options);
  REQUIRE_OK(without);
  BOOST_TEST((*(*without)->Next())->size() == 1u);
  WriteNpz(path, {{"w", DataType::kFloat, {1}}, {"x", DataType::kFloat, {1}}},
           1);
  auto with = OpenFeedSource(path, options);
  REQUIRE_OK(with);
  BOOST_TEST((*(*with)->Next())->size() == 2u);
}

BOOST_AUTO_TEST_CASE(SkipAndLimitMustLeaveASample) {
  const TempFolder folder;
  const std::string path = folder.Write("a.npz", FromHex(kDeflatedNpz));
  FeedSourceOptions options = Options();
  options.skip = 3;
  CheckError(OpenFeedSource(path, options).status(),
             StatusCode::kInvalidArgument, {"a.npz", "3 samples"});
  options.skip = 0;
  options.limit = 0;
  CheckError(OpenFeedSource(path, options).status(),
             StatusCode::kInvalidArgument, {"a.npz", "3 samples"});
  options.limit = 100;
  BOOST_TEST((*OpenFeedSource(path, options))->size().value() == 3u);
}

BOOST_AUTO_TEST_CASE(FeedsAnNpy) {
  const TempFolder folder;
  const std::string bytes = FromHex(kVersion2Npy);  // [2, 1]: 0, 1
  const std::string path = folder.Write("a.npy", bytes);
  FeedSourceOptions options = {
      .inputs = {{.name = "x", .type = DataType::kFloat, .dims = Dims{1}},
                 {.name = "w", .type = DataType::kFloat, .optional = true}}};
  auto source = OpenFeedSource(path, options);
  REQUIRE_OK(source);
  BOOST_TEST((*source)->size().value() == 2u);
  for (int round = 0; round < 2; ++round) {
    for (const float wanted : {0.0f, 1.0f}) {
      const auto feeds = (*source)->Next();
      REQUIRE_OK(feeds);
      BOOST_REQUIRE((**feeds).size() == 1u);
      BOOST_TEST((**feeds)[0].name == "x");
      BOOST_TEST((**feeds)[0].tensor.As<float>()[0] == wanted);
    }
    BOOST_TEST(CountSamples(**source) == 0u);
    REQUIRE_OK((*source)->Rewind());
  }
  REQUIRE_OK((*source)->Skip(1));
  BOOST_TEST(CountSamples(**source) == 1u);
  options.skip = 1;
  source = OpenFeedSource(path, options);
  REQUIRE_OK(source);
  BOOST_TEST((**(*source)->Next())[0].tensor.As<float>()[0] == 1.0f);

  const auto refused = [&](StatusCode code,
                           std::initializer_list<std::string_view> words) {
    CheckError(OpenFeedSource(path, options).status(), code, words);
  };
  options.skip = 2;
  refused(StatusCode::kInvalidArgument, {"a.npy", "2 samples"});
  options.skip = 0;
  options.inputs[0].dims = Dims{2};
  refused(StatusCode::kInvalidData, {"a.npy", "[1]", "[2]"});
  options.inputs[0].dims.reset();
  options.inputs[1].optional = false;
  refused(StatusCode::kInvalidData, {"a.npy", "'x', 'w'", ".npz"});
  options.inputs.pop_back();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    folder.Write("a.npy", bytes.substr(0, length));
    refused(StatusCode::kInvalidData, {"a.npy"});
  }
  folder.Write("a.npy", bytes + "x");
  refused(StatusCode::kInvalidData, {"a.npy", "bytes"});
}

BOOST_AUTO_TEST_CASE(SelectsShufflesAndBatches) {
  const TempFolder folder;
  const std::string path = folder.File("a.npz");
  WriteNpz(path, {{"x", DataType::kInt64, {1}}}, 12);
  FeedSourceOptions options = {
      .inputs = {{.name = "x", .type = DataType::kInt64, .dims = Dims{-1}}}};
  const auto values = [&] {
    auto source = OpenFeedSource(path, options);
    REQUIRE_OK(source);
    std::vector<std::int64_t> all;
    for (;;) {
      const auto feeds = (*source)->Next();
      REQUIRE_OK(feeds);
      if (!feeds->has_value()) return all;
      const auto got = (**feeds)[0].tensor.As<std::int64_t>();
      all.insert(all.end(), got.begin(), got.end());
      all.push_back(-1);  // between feeds
    }
  };
  const auto check = [](const std::vector<std::int64_t>& got,
                        const std::vector<std::int64_t>& wanted) {
    BOOST_TEST(got == wanted, boost::test_tools::per_element());
  };
  options.start = 8;
  options.skip = 1;
  check(values(), {9, -1, 10, -1, 11, -1});
  options.stride = 2;
  options.skip = 0;
  check(values(), {8, -1, 10, -1});
  options = {.inputs = options.inputs, .limit = 3, .stride = 5};
  options.batch_size = 2;
  options.prefetch = 3;
  check(values(), {0, 5, -1, 10, -1});
  options.shuffle_seed = 1;
  options.stride = 1;
  options.limit.reset();
  const auto once = values();
  check(values(), once);
  options.shuffle_seed = 2;
  BOOST_TEST((values() != once));

  const auto refused = [&](std::initializer_list<std::string_view> words) {
    CheckError(OpenFeedSource(path, options).status(),
               StatusCode::kInvalidArgument, words);
  };
  options.start = 12;
  refused({"a.npz", "start index"});
  options.shuffle_seed.reset();
  refused({"a.npz", "12 samples"});
  options.start = SIZE_MAX;
  options.skip = 5;
  refused({"a.npz", "12 samples"});
  options.start = options.skip = 0;
  options.inputs[0].dims = Dims{1};
  refused({"'x'", "--batch-size"});
}

BOOST_AUTO_TEST_CASE(TextsCannotBeFed) {
  const TempFolder folder;
  const std::string path = folder.Write("a.npz", FromHex(kDeflatedNpz));
  const FeedSourceOptions options = {
      .inputs = {{.name = "x", .type = DataType::kString}}};
  CheckError(OpenFeedSource(path, options).status(), StatusCode::kInvalidData,
             {"a.npz", "'ids'"});
  const InputDescription input = {.name = "x", .type = DataType::kString};
  CheckError(CheckSample(input, {}, DataType::kString, Dims{1}),
             StatusCode::kUnsupported, {"string"});
}

BOOST_AUTO_TEST_CASE(RefusesOtherForms) {
  const TempFolder folder;
  CheckError(OpenFeedSource(folder.File("no.npz"), Options()).status(),
             StatusCode::kNotFound, {"no.npz", "synthetic:N"});
  CheckError(OpenFeedSource(folder.Write("a.txt", "hello"), Options()).status(),
             StatusCode::kInvalidArgument, {"a.txt", ".npz", "test_data_set"});
  CheckError(OpenFeedSource(folder.path(), Options()).status(),
             StatusCode::kInvalidData, {folder.path(), "test_data_set"});
  for (const std::string_view text :
       {"synthetic:", "synthetic:x", "synthetic:0", "synthetic:-1",
        "synthetic:3x", "synthetic:99999999999999999999"}) {
    CheckError(OpenFeedSource(std::string(text), Options()).status(),
               StatusCode::kInvalidArgument, {text, "synthetic:32"});
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(test_data_set)

std::string Proto(std::string_view name, float value) {
  Tensor tensor(DataType::kFloat, {1, 1});
  tensor.MutableAs<float>()[0] = value;
  return EncodeDataTensor(name, tensor.view()).SerializeAsString();
}

FeedSourceOptions TwoInputs() {
  return {
      .inputs = {{.name = "a", .type = DataType::kFloat, .dims = Dims{1, 1}},
                 {.name = "w", .type = DataType::kFloat, .optional = true},
                 {.name = "b", .type = DataType::kFloat}}};
}

BOOST_AUTO_TEST_CASE(FoldersComeInNumericOrder) {
  const TempFolder folder;
  for (const int set : {10, 9, 0}) {
    const std::string name = "test_data_set_" + std::to_string(set);
    folder.Write(name + "/input_0.pb", Proto("", static_cast<float>(set)));
    folder.Write(name + "/input_1.pb", Proto("", 0.5f));
    folder.Write(name + "/output_0.pb", "not read");
  }
  folder.Write("model.onnx", "not read");
  auto source = OpenFeedSource(folder.path(), TwoInputs());
  REQUIRE_OK(source);
  BOOST_TEST((*source)->size().value() == 3u);
  for (const float wanted : {0.0f, 9.0f, 10.0f}) {
    const auto feeds = (*source)->Next();
    REQUIRE_OK(feeds);
    BOOST_REQUIRE((*feeds)->size() == 2u);
    BOOST_TEST((**feeds)[0].name == "a");
    BOOST_TEST((**feeds)[0].tensor.As<float>()[0] == wanted);
    BOOST_TEST((**feeds)[1].name == "b");
    BOOST_TEST((**feeds)[1].tensor.As<float>()[0] == 0.5f);
  }
  BOOST_TEST(!(*source)->Next()->has_value());
  REQUIRE_OK((*source)->Rewind());
  BOOST_TEST(CountSamples(**source) == 3u);

  FeedSourceOptions options = TwoInputs();
  options.skip = 1;
  options.limit = 1;
  auto middle = OpenFeedSource(folder.path(), options);
  REQUIRE_OK(middle);
  BOOST_TEST((**(*middle)->Next())[0].tensor.As<float>()[0] == 9.0f);
}

BOOST_AUTO_TEST_CASE(NamesComeBeforeNumbers) {
  const TempFolder folder;
  folder.Write("test_data_set_0/input_0.pb", Proto("b", 1.0f));
  folder.Write("test_data_set_0/input_1.pb", Proto("a", 2.0f));
  auto source = OpenFeedSource(folder.path(), TwoInputs());
  REQUIRE_OK(source);
  const auto feeds = (*source)->Next();
  REQUIRE_OK(feeds);
  BOOST_TEST((**feeds)[0].name == "a");
  BOOST_TEST((**feeds)[0].tensor.As<float>()[0] == 2.0f);
}

BOOST_AUTO_TEST_CASE(FilesMustFitTheInputs) {
  const auto check =
      [](const std::vector<std::pair<std::string, std::string>>& files,
         StatusCode code, std::initializer_list<std::string_view> words) {
        const TempFolder folder;
        for (const auto& [name, bytes] : files) {
          folder.Write("test_data_set_0/" + name, bytes);
        }
        auto source = OpenFeedSource(folder.path(), TwoInputs());
        REQUIRE_OK(source);
        CheckError((*source)->Next().status(), code, words);
      };
  check({{"input_0.pb", Proto("a", 1)}}, StatusCode::kInvalidData,
        {"test_data_set_0", "'b'"});
  check({{"input_0.pb", Proto("c", 1)}}, StatusCode::kInvalidData,
        {"input_0.pb", "'a', 'w', 'b'"});
  check({{"input_2.pb", Proto("", 1)}}, StatusCode::kInvalidData,
        {"input_2.pb", "no input"});
  check({{"input_0.pb", Proto("a", 1)}, {"input_1.pb", Proto("a", 1)}},
        StatusCode::kInvalidData, {"input_1.pb", "'a'"});
  check({{"input_0.pb", "no proto"}}, StatusCode::kInvalidData,
        {"input_0.pb", "TensorProto"});
  check({{"input_0.pb", ""}}, StatusCode::kUnsupported, {"input_0.pb"});
  Tensor wrong(DataType::kFloat, {2, 1});
  check(
      {{"input_0.pb", EncodeDataTensor("", wrong.view()).SerializeAsString()}},
      StatusCode::kInvalidData, {"input_0.pb", "[2, 1]", "[1, 1]"});
}

BOOST_AUTO_TEST_CASE(EveryPrefixIsAnError) {
  const TempFolder folder;
  const std::string file = Proto("a", 1);
  for (std::size_t size = 0; size < file.size(); ++size) {
    folder.Write("test_data_set_0/input_0.pb", file.substr(0, size));
    auto source = OpenFeedSource(
        folder.path(), {.inputs = {{.name = "a", .type = DataType::kFloat}}});
    REQUIRE_OK(source);
    BOOST_TEST_CONTEXT("size " << size) { BOOST_TEST(!(*source)->Next().ok()); }
  }
}

BOOST_AUTO_TEST_CASE(TensorsOfEveryFieldAreRead) {
  onnx::TensorProto proto;
  proto.add_dims(2);
  const auto decode = [&](DataType type) {
    proto.set_data_type(static_cast<int>(type));
    return DecodeDataTensor(proto);
  };
  proto.add_int32_data(-1);
  proto.add_int32_data(1);
  BOOST_TEST(decode(DataType::kInt8)->As<std::int8_t>()[0] == -1);
  BOOST_TEST(decode(DataType::kInt32)->As<std::int32_t>()[1] == 1);
  CheckError(decode(DataType::kUint8).status(), StatusCode::kInvalidData,
             {"-1", "uint8"});
  CheckError(decode(DataType::kBool).status(), StatusCode::kInvalidData,
             {"-1", "bool"});
  CheckError(decode(DataType::kFloat).status(), StatusCode::kInvalidData,
             {"0 values", "2"});
  proto.clear_int32_data();
  proto.add_float_data(0.5f);
  proto.add_float_data(-0.5f);
  BOOST_TEST(decode(DataType::kFloat)->As<float>()[1] == -0.5f);
  proto.clear_float_data();
  proto.add_uint64_data(3);
  proto.add_uint64_data(std::uint64_t{1} << 40);
  BOOST_TEST(decode(DataType::kUint64)->As<std::uint64_t>()[0] == 3u);
  CheckError(decode(DataType::kUint32).status(), StatusCode::kInvalidData,
             {"1099511627776", "uint32"});
  CheckError(decode(DataType::kString).status(), StatusCode::kUnsupported,
             {"numbers"});
  CheckError(decode(static_cast<DataType>(999)).status(),
             StatusCode::kUnsupported, {"numbers"});
  proto.set_raw_data("1234567");
  CheckError(decode(DataType::kFloat).status(), StatusCode::kInvalidData,
             {"7 bytes", "8"});
  proto.set_data_location(onnx::TensorProto::EXTERNAL);
  CheckError(decode(DataType::kFloat).status(), StatusCode::kUnsupported,
             {"another file"});
  proto.set_dims(0, -1);
  CheckError(decode(DataType::kFloat).status(), StatusCode::kInvalidData,
             {"[-1]"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(synthetic)

BOOST_AUTO_TEST_CASE(ValuesDependOnTheirPlaceAlone) {
  FeedSourceOptions options = {
      .inputs = {{.name = "x", .type = DataType::kFloat, .dims = Dims{-1, 500}},
                 {.name = "ids", .type = DataType::kInt64, .dims = Dims{2, 50}},
                 {.name = "w", .type = DataType::kFloat, .optional = true}}};
  auto source = OpenFeedSource("synthetic:3", options);
  REQUIRE_OK(source);
  BOOST_TEST((*source)->size().value() == 3u);
  std::vector<Feeds> samples;
  for (int i = 0; i < 3; ++i) samples.push_back(**(*source)->Next());
  BOOST_TEST(!(*source)->Next()->has_value());
  BOOST_REQUIRE(samples[0].size() == 2u);
  const auto x = [&](std::size_t i) {
    return samples[i][0].tensor.As<float>();
  };
  BOOST_TEST((samples[0][0].tensor.dims() == Dims{1, 500}));
  const std::set<float> values(x(0).begin(), x(0).end());
  BOOST_TEST(values.size() > 490u);
  BOOST_TEST(*values.begin() >= -1.0f);
  BOOST_TEST(*values.begin() < -0.9f);
  BOOST_TEST(*values.rbegin() < 1.0f);
  BOOST_TEST(*values.rbegin() > 0.9f);
  BOOST_TEST(x(0)[0] != x(1)[0]);
  for (const std::int64_t id : samples[1][1].tensor.As<std::int64_t>()) {
    BOOST_TEST((id == 0 || id == 1));
  }

  options.skip = 2;
  auto last = OpenFeedSource("synthetic:3", options);
  REQUIRE_OK(last);
  const auto again = (*last)->Next();
  REQUIRE_OK(again);
  BOOST_TEST((**again)[0].tensor.As<float>() == x(2),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(OpenAxesAreNamed) {
  const auto open = [](const std::optional<Dims>& dims, DataType type) {
    return OpenFeedSource(
               "synthetic:1",
               {.inputs = {{.name = "x", .type = type, .dims = dims}}})
        .status();
  };
  CheckError(open(Dims{-1, 3, -1}, DataType::kFloat), StatusCode::kInvalidData,
             {"'x'", "axis 2", ".npz"});
  CheckError(open(std::nullopt, DataType::kFloat), StatusCode::kInvalidData,
             {"'x'", "shape", ".npz"});
  CheckError(open(Dims{1 << 20, 1 << 20}, DataType::kFloat),
             StatusCode::kInvalidData, {"'x'", "too large"});
  CheckError(open(Dims{1}, DataType::kString), StatusCode::kUnsupported,
             {"'x'", "string"});
}

BOOST_AUTO_TEST_CASE(NeedsNoPreprocessFile) {
  FeedSourceOptions options = Options();
  options.preprocess_file = "p.json";
  CheckError(OpenFeedSource("synthetic:1", options).status(),
             StatusCode::kInvalidArgument, {"synthetic:1", "--preprocess"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
