// Small models in onnx's text form, run by the built-in executor.
#ifndef ZEROPOINT_TESTS_EXEC_RUN_MODEL_H_
#define ZEROPOINT_TESTS_EXEC_RUN_MODEL_H_

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onnx/defs/parser.h"
#include "onnx/onnx_pb.h"
#include "zeropoint/core/feeds.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/graph/model.h"

namespace zeropoint::testing {

/// `graph` in onnx's text form, importing `opset`.
inline Model ParseGraph(const std::string& graph, int opset = 17) {
  onnx::ModelProto proto;
  const auto parsed = onnx::OnnxParser::Parse(
      proto, ("<ir_version: 10, opset_import: [\"\" : " +
              std::to_string(opset) + "]> " + graph)
                 .c_str());
  BOOST_REQUIRE_MESSAGE(parsed.IsOK(), parsed.ErrorMessage());
  auto model = Model::FromProto(std::move(proto));
  BOOST_REQUIRE_MESSAGE(model.ok(), model.status().message());
  return std::move(*model);
}

/// A feed of any type.
template <class T>
Feed MakeFeed(std::string name, Dims dims, std::vector<T> values) {
  Tensor tensor(DataTypeOf<T>(), std::move(dims));
  BOOST_REQUIRE_EQUAL(tensor.size(), values.size());
  std::ranges::copy(values, static_cast<T*>(tensor.mutable_data()));
  return {std::move(name), std::move(tensor)};
}

inline Feeds MakeFeeds(Feed feed) {
  Feeds feeds;
  feeds.push_back(std::move(feed));
  return feeds;
}
template <class... More>
Feeds MakeFeeds(Feed first, More... more) {
  Feeds feeds;
  feeds.push_back(std::move(first));
  (feeds.push_back(std::move(more)), ...);
  return feeds;
}

/// Keeps a copy of every tapped tensor, and the order of delivery.
class KeepAll final : public TensorSink {
 public:
  explicit KeepAll(std::size_t taps) : tensors(taps) {}
  Status Consume(std::size_t tap, const TensorView& tensor) override {
    order.push_back(tap);
    tensors[tap] = Tensor::CopyOf(tensor);
    return Status();
  }
  std::vector<Tensor> tensors;
  std::vector<std::size_t> order;
};

/// The values of `taps`, or of the graph's outputs when none are given.
inline Result<std::vector<Tensor>> Run(const Model& model, const Feeds& feeds,
                                       std::vector<std::string> taps = {},
                                       int threads = 2) {
  if (taps.empty()) {
    for (const auto& output : model.proto().graph().output()) {
      taps.push_back(output.name());
    }
  }
  ZEROPOINT_ASSIGN_OR_RETURN(
      auto executor, BuiltinExecutor::Create(model, {.threads = threads}));
  KeepAll sink(taps.size());
  ZEROPOINT_RETURN_IF_ERROR(executor.Run(feeds, taps, sink));
  return std::move(sink.tensors);
}

/// Runs a graph that must not fail.
inline std::vector<Tensor> RunGraph(const std::string& graph,
                                    const Feeds& feeds, int opset = 17) {
  const Model model = ParseGraph(graph, opset);
  auto outputs = Run(model, feeds);
  BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
  return std::move(*outputs);
}

/// The error of a graph that must fail.
inline Status FailGraph(const std::string& graph, const Feeds& feeds,
                        int opset = 17) {
  const Model model = ParseGraph(graph, opset);
  auto outputs = Run(model, feeds);
  BOOST_REQUIRE(!outputs.ok());
  return outputs.status();
}

template <class T>
std::vector<T> ValuesOf(const Tensor& tensor) {
  BOOST_REQUIRE(tensor.type() == DataTypeOf<T>());
  const auto values = tensor.As<T>();
  return {values.begin(), values.end()};
}

/// Shape and values, exactly.
template <class T>
void CheckTensor(const Tensor& tensor, const Dims& dims,
                 const std::vector<T>& values) {
  BOOST_TEST(tensor.dims() == dims, boost::test_tools::per_element());
  BOOST_TEST(ValuesOf<T>(tensor) == values, boost::test_tools::per_element());
}

/// Shape, and values within `tolerance`.
inline void CheckNear(const Tensor& tensor, const Dims& dims,
                      const std::vector<float>& values,
                      float tolerance = 1e-5f) {
  BOOST_TEST(tensor.dims() == dims, boost::test_tools::per_element());
  const auto found = ValuesOf<float>(tensor);
  BOOST_REQUIRE_EQUAL(found.size(), values.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    BOOST_TEST(
        std::abs(found[i] - values[i]) <= tolerance,
        "element " << i << " is " << found[i] << ", expected " << values[i]);
  }
}

/// Whether `text` stands in the message.
inline void CheckSays(const Status& status, const std::string& text) {
  BOOST_TEST(status.message().find(text) != std::string::npos,
             "'" << status.message() << "' does not say '" << text << "'");
}

}  // namespace zeropoint::testing

#endif  // ZEROPOINT_TESTS_EXEC_RUN_MODEL_H_
