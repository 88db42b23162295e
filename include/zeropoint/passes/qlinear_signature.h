// QLinearSignature: where an operator on codes keeps what its float operator
// takes.
//
// ONNX and ONNX Runtime write the same facts in four orders; this table is the
// only place that knows them.
#ifndef ZEROPOINT_PASSES_QLINEAR_SIGNATURE_H_
#define ZEROPOINT_PASSES_QLINEAR_SIGNATURE_H_

#include <array>
#include <cstddef>
#include <string_view>

#include "zeropoint/core/form.h"
#include "zeropoint/graph/graph_view.h"

namespace zeropoint::internal {

/// Inputs of an operator on codes: `operands` triples (codes, scale, zero
/// point) from `first` on; the output's scale at `output` and its zero point
/// behind it; an int32 bias at `bias`.
struct QLinearSignature {
  static constexpr int kNone = -1;
  static constexpr std::size_t kAll = 0;  // every input there is

  std::string_view op_type;   // of the float operator
  std::string_view codes_op;  // of the operator on codes
  bool microsoft = false;     // of the domain com.microsoft
  /// Input of the float operator at which the operands begin.
  std::size_t float_first = 0;
  std::size_t first = 0;
  std::size_t operands = 1;
  std::size_t output = 3;
  int bias = kNone;

  /// The number of operands of a float node with `inputs` inputs.
  std::size_t OperandsOf(std::size_t inputs) const {
    return operands == kAll ? inputs : operands;
  }
};

/// Source: ONNX QLinearConv-10, QLinearMatMul-10; ONNX Runtime's operator
/// documentation, domain com.microsoft.
inline constexpr std::array kQLinearSignatures = {
    QLinearSignature{.op_type = "Conv",
                     .codes_op = "QLinearConv",
                     .operands = 2,
                     .output = 6,
                     .bias = 8},
    QLinearSignature{.op_type = "MatMul",
                     .codes_op = "QLinearMatMul",
                     .operands = 2,
                     .output = 6},
    QLinearSignature{.op_type = "Gemm",
                     .codes_op = "QGemm",
                     .microsoft = true,
                     .operands = 2,
                     .output = 7,
                     .bias = 6},
    QLinearSignature{.op_type = "Add",
                     .codes_op = "QLinearAdd",
                     .microsoft = true,
                     .operands = 2,
                     .output = 6},
    QLinearSignature{.op_type = "Mul",
                     .codes_op = "QLinearMul",
                     .microsoft = true,
                     .operands = 2,
                     .output = 6},
    QLinearSignature{.op_type = "AveragePool",
                     .codes_op = "QLinearAveragePool",
                     .microsoft = true},
    QLinearSignature{.op_type = "GlobalAveragePool",
                     .codes_op = "QLinearGlobalAveragePool",
                     .microsoft = true},
    QLinearSignature{
        .op_type = "Sigmoid", .codes_op = "QLinearSigmoid", .microsoft = true},
    QLinearSignature{.op_type = "LeakyRelu",
                     .codes_op = "QLinearLeakyRelu",
                     .microsoft = true},
    QLinearSignature{
        .op_type = "Softmax", .codes_op = "QLinearSoftmax", .microsoft = true},
    QLinearSignature{.op_type = "Where",
                     .codes_op = "QLinearWhere",
                     .microsoft = true,
                     .float_first = 1,
                     .first = 1,
                     .operands = 2,
                     .output = 7},
    QLinearSignature{.op_type = "Concat",
                     .codes_op = "QLinearConcat",
                     .microsoft = true,
                     .first = 2,
                     .operands = QLinearSignature::kAll,
                     .output = 0},
};

/// nullptr for an operator that has no form on codes of its own.
inline const QLinearSignature* FindSignature(std::string_view op_type) {
  for (const QLinearSignature& signature : kQLinearSignatures) {
    if (signature.op_type == op_type) return &signature;
  }
  return nullptr;
}

/// The signature of a node that computes on codes, or nullptr.
inline const QLinearSignature* SignatureOf(const onnx::NodeProto& node) {
  const bool microsoft = node.domain() == kMicrosoftDomain;
  if (!microsoft && !node.domain().empty() && node.domain() != "ai.onnx") {
    return nullptr;
  }
  for (const QLinearSignature& signature : kQLinearSignatures) {
    if (signature.microsoft == microsoft &&
        signature.codes_op == node.op_type()) {
      return &signature;
    }
  }
  return nullptr;
}

/// The operator that a node computes in whatever form: Conv for QLinearConv and
/// ConvInteger too.
inline std::string_view ComputedOperator(const onnx::NodeProto& node) {
  if (const QLinearSignature* signature = SignatureOf(node)) {
    return signature->op_type;
  }
  if (node.op_type() == "ConvInteger") return "Conv";
  if (node.op_type() == "MatMulInteger") return "MatMul";
  return node.op_type();
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_QLINEAR_SIGNATURE_H_
