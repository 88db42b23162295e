// Models from onnx's text form.
#ifndef ZEROPOINT_TESTS_GRAPH_PARSE_MODEL_H_
#define ZEROPOINT_TESTS_GRAPH_PARSE_MODEL_H_

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>

#include "onnx/defs/parser.h"
#include "onnx/onnx_pb.h"
#include "zeropoint/graph/model.h"

namespace zeropoint::testing {

inline onnx::ModelProto ParseProto(const std::string& text) {
  onnx::ModelProto proto;
  const auto status = onnx::OnnxParser::Parse(proto, text);
  BOOST_REQUIRE_MESSAGE(status.IsOK(), status.ErrorMessage());
  return proto;
}

/// `graph` after a header with IR version 8 and opset 13.
inline Model ParseModel(const std::string& graph) {
  auto model = Model::FromProto(
      ParseProto("<ir_version: 8, opset_import: [\"\" : 13]>" + graph));
  BOOST_REQUIRE_MESSAGE(model.ok(), model.status().message());
  return std::move(model).value();
}

}  // namespace zeropoint::testing

#endif  // ZEROPOINT_TESTS_GRAPH_PARSE_MODEL_H_
