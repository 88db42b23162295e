// Memory of quantizing a model whose weights lie in a data file: bounded by its
// largest tensor, not by the model. Arguments: MB of all weights, MB of each.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/flow/quantize_dynamic.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

struct Sizes {
  std::size_t weights;  // how many
  std::size_t bytes;    // of each
};

Sizes FromArguments() {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  BOOST_REQUIRE(suite.argc == 3);
  const auto all = static_cast<std::size_t>(std::atol(suite.argv[1]));
  const auto each = static_cast<std::size_t>(std::atol(suite.argv[2]));
  BOOST_REQUIRE(each > 0 && all >= 16 * each);
  return {all / each, each * kMegabyte};
}

/// A chain of products [rows, 1024] x [1024, 1024 * k], k back and forth, its
/// weights in MODEL.data.
void WriteModel(const std::string& path, const Sizes& sizes) {
  const auto wide = static_cast<std::int64_t>(sizes.bytes / 4 / 1024);
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(17);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("large");
  const auto describe = [](onnx::ValueInfoProto& info, const std::string& name,
                           std::int64_t columns) {
    info.set_name(name);
    auto& type = *info.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    type.mutable_shape()->add_dim()->set_dim_value(1);
    type.mutable_shape()->add_dim()->set_dim_value(columns);
  };
  describe(*graph.add_input(), "x0", 1024);
  std::ofstream data(path + ".data", std::ios::binary);
  std::vector<float> values(sizes.bytes / 4);
  std::uint32_t state = 1;
  std::int64_t rows = 1024;
  for (std::size_t i = 0; i < sizes.weights; ++i) {
    for (float& value : values) {
      state = state * 1664525u + 1013904223u;
      value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
    }
    data.write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(sizes.bytes));
    const std::string number = std::to_string(i);
    onnx::TensorProto& weight = *graph.add_initializer();
    weight.set_name("w" + number);
    weight.set_data_type(onnx::TensorProto::FLOAT);
    weight.add_dims(rows);
    weight.add_dims(rows == 1024 ? wide : 1024);
    rows = weight.dims(1);
    weight.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto add = [&weight](const char* key, const std::string& value) {
      auto& entry = *weight.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    };
    add("location", std::filesystem::path(path + ".data").filename());
    add("offset", std::to_string(i * sizes.bytes));
    add("length", std::to_string(sizes.bytes));
    onnx::NodeProto& node = *graph.add_node();
    node.set_op_type("MatMul");
    node.add_input("x" + number);
    node.add_input("w" + number);
    node.add_output("x" + std::to_string(i + 1));
  }
  describe(*graph.add_output(), "x" + std::to_string(sizes.weights), rows);
  std::ofstream file(path, std::ios::binary);
  BOOST_REQUIRE(model.SerializeToOstream(&file) && data.flush().good());
}

/// Peak memory of `job`, which runs in a process of its own, in bytes. Fails
/// when the job returns false.
std::size_t PeakOf(const std::function<bool()>& job) {
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) ::_exit(job() ? 0 : 1);
  int status = 0;
  rusage usage{};
  BOOST_REQUIRE(::wait4(child, &status, 0, &usage) == child);
  BOOST_REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

bool Quantize(const std::string& from, const std::string& to) {
  auto model = Model::Load(from);
  return model.ok() && QuantizeDynamic(*model, {}).ok() && model->Save(to).ok();
}

}  // namespace

BOOST_AUTO_TEST_CASE(MemoryIsBoundedByTheLargestTensor) {
  const Sizes sizes = FromArguments();
  const char* folder = std::getenv("TEST_TMPDIR");
  BOOST_REQUIRE(folder != nullptr);
  const std::string small = std::string(folder) + "/small.onnx";
  const std::string large = std::string(folder) + "/large.onnx";
  const std::string result = std::string(folder) + "/result.onnx";
  const std::size_t before = PeakOf([&] {
    WriteModel(small, {8, kMegabyte / 4});
    return Quantize(small, result);
  });
  // In a process of its own too: a child starts with its parent's peak.
  PeakOf([&] {
    WriteModel(large, sizes);
    return true;
  });
  const std::size_t peak = PeakOf([&] { return Quantize(large, result); });
  BOOST_TEST_MESSAGE("peak " << peak / kMegabyte << " MB, of a small model "
                             << before / kMegabyte << " MB");
  // The float tensor, its codes and copies of them while they are stored, what
  // the allocator keeps of those.
  BOOST_TEST(peak < before + 8 * sizes.bytes);
  BOOST_TEST(8 * sizes.bytes < sizes.weights * sizes.bytes / 2);

  // The codes went to a data file again, all of them.
  const std::size_t data = std::filesystem::file_size(result + ".data");
  BOOST_TEST(data >= sizes.weights * sizes.bytes / 4);
  BOOST_TEST(data < sizes.weights * sizes.bytes / 4 + sizes.bytes);
  // What is left are scales and zero points.
  BOOST_TEST(std::filesystem::file_size(result) <
             kMegabyte + sizes.weights * sizes.bytes / 1000);
  auto model = Model::Load(result);
  BOOST_REQUIRE_MESSAGE(model.ok(), model.status().message());
  std::size_t products = 0;
  for (const auto& node : model->proto().graph().node()) {
    products += node.op_type() == "MatMulInteger" ? 1 : 0;
  }
  BOOST_TEST(products == sizes.weights);
  for (const std::string& path : {small, large, result}) {
    std::filesystem::remove(path);
    std::filesystem::remove(path + ".data");
  }
}

}  // namespace zeropoint
