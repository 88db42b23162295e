// Operators of the domain com.microsoft, each as a function of the default
// domain's.
//
// The definitions read like the operators' documentation: what is optional and
// left out by a node leaves out its lines. They are run as onnx's own function
// bodies are.
#ifndef ZEROPOINT_EXEC_CONTRIB_FUNCTIONS_H_
#define ZEROPOINT_EXEC_CONTRIB_FUNCTIONS_H_

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/defs/parser.h"
#include "onnx/onnx_pb.h"
#include "zeropoint/core/data_type.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint::contrib {

/// One call: the node, and the types of its inputs.
struct Call {
  const onnx::NodeProto& node;
  const std::vector<onnx::TypeProto>& types;

  bool Has(int input) const {
    return input < node.input_size() && !node.input(input).empty();
  }
  int Rank(std::size_t input) const {
    return types[input].tensor_type().shape().dim_size();
  }
  std::int64_t Dim(std::size_t input, int axis) const {
    return types[input].tensor_type().shape().dim(axis).dim_value();
  }
};

inline std::string Number(float value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.9g", static_cast<double>(value));
  const bool whole =
      std::string_view(text).find_first_of(".en") == std::string_view::npos;
  return whole ? std::string(text) + ".0" : std::string(text);
}

/// The lines of a layer normalization of "sum" over the last axis.
inline std::string Normalize(const Call& call, bool by_mean, bool has_beta,
                             const char* output) {
  const std::string epsilon = Number(GetFloat(call.node, "epsilon", 1e-12f));
  if (!by_mean) {
    return std::string(output) +
           " = RMSNormalization <axis = -1, epsilon = " + epsilon +
           "> (sum, gamma)\n";
  }
  return std::string(output) +
         " = LayerNormalization <axis = -1, epsilon = " + epsilon +
         "> (sum, gamma" + (has_beta ? ", beta" : "") + ")\n";
}

inline std::string Gelu(const Call&) { return "F (x) => (y) { y = Gelu (x) }"; }
inline std::string QuickGelu(const Call& call) {
  return "F (x) => (y) { y = Swish <alpha = " +
         Number(GetFloat(call.node, "alpha", 1.702f)) + "> (x) }";
}
inline std::string BiasGelu(const Call&) {
  return "F (x, bias) => (y) { sum = Add (x, bias) y = Gelu (sum) }";
}
inline std::string FastGelu(const Call& call) {
  return std::string("F (x, bias) => (y) {\n") +
         (call.Has(1) ? "sum = Add (x, bias)\n" : "sum = Identity (x)\n") +
         "y = Gelu <approximate = \"tanh\"> (sum)\n}";
}

/// y = LayerNormalization(x + skip + bias); output 3 is the sum.
inline std::string SkipNormalization(const Call& call, bool by_mean) {
  const int bias = by_mean ? 4 : 3;
  std::string text =
      by_mean ? "F (x, skip, gamma, beta, bias) => (y, mean, inv, sum) {\n"
              : "F (x, skip, gamma, bias) => (y, mean, inv, sum) {\n";
  text += call.Has(bias) ? "both = Add (x, skip)\nsum = Add (both, bias)\n"
                         : "sum = Add (x, skip)\n";
  return text + Normalize(call, by_mean, by_mean && call.Has(3), "y") + "}";
}
inline std::string SkipLayerNormalization(const Call& call) {
  return SkipNormalization(call, true);
}
inline std::string SkipSimplifiedLayerNormalization(const Call& call) {
  return SkipNormalization(call, false);
}

/// The lines that look up `rows` of a table, which may hold codes.
inline std::string LookUp(const std::string& rows, const std::string& table,
                          const char* indices, bool codes) {
  if (!codes) return rows + " = Gather (" + table + ", " + indices + ")\n";
  return rows + "_codes = Gather (" + table + ", " + indices + ")\n" + rows +
         " = DequantizeLinear (" + rows + "_codes, " + table + "_scale, " +
         table + "_zero)\n";
}

/// The lines of y = LayerNormalization(word[ids] + position[i] +
/// segment[segment_ids]), and of the count of the mask.
inline std::string EmbedAndNormalize(const Call& call, bool codes) {
  std::string text;
  if (!codes && call.Has(8)) {
    text += "places = Identity (position_ids)\n";
  } else {
    text +=
        "from = Constant <value_int = 0> ()\n"
        "step = Constant <value_int = 1> ()\n"
        "length = Shape <start = 1, end = 2> (ids)\n"
        "to = Squeeze (length)\n"
        "places = Range (from, to, step)\n";
  }
  text += LookUp("words", "word", "ids", codes) +
          LookUp("positions", "position", "places", codes);
  if (call.Has(1) && call.Has(4)) {
    text += LookUp("segments", "segment", "segment_ids", codes) +
            "both = Add (words, positions)\n"
            "sum = Add (both, segments)\n";
  } else {
    text += "sum = Add (words, positions)\n";
  }
  if (call.Has(7)) {
    text +=
        "axis = Constant <value_ints = [1]> ()\n"
        "count = ReduceSum <keepdims = 0> (mask, axis)\n";
  } else {
    text +=
        "batch = Shape <start = 0, end = 1> (ids)\n"
        "count = ConstantOfShape <value = int32[1] {0}> (batch)\n";
  }
  return text + Normalize(call, true, call.Has(6), "y") + "}";
}

/// Output 1 counts the mask, output 2 is the sum.
inline std::string EmbedLayerNormalization(const Call& call) {
  return "F (ids, segment_ids, word, position, segment, gamma, beta, mask, "
         "position_ids) => (y, count, sum) {\n" +
         EmbedAndNormalize(call, false);
}

/// The same with codes, each with one scale, in place of constants.
inline std::string QEmbedLayerNormalization(const Call& call) {
  return "F (ids, segment_ids, word, position, segment, gamma_codes, "
         "beta_codes, mask, word_scale, position_scale, segment_scale, "
         "gamma_scale, beta_scale, word_zero, position_zero, segment_zero, "
         "gamma_zero, beta_zero) => (y, count) {\n"
         "gamma = DequantizeLinear (gamma_codes, gamma_scale, gamma_zero)\n"
         "beta = DequantizeLinear (beta_codes, beta_scale, beta_zero)\n" +
         EmbedAndNormalize(call, true);
}

/// y = alpha op(a) op(b), where op may exchange the last two axes.
inline std::string FusedMatMul(const Call& call) {
  std::string text = "F (a, b) => (y) {\n";
  const char* const names[] = {"a", "b"};
  const char* const flags[] = {"transA", "transB"};
  for (int i = 0; i < 2; ++i) {
    const std::string name = names[i];
    const int rank = call.Rank(static_cast<std::size_t>(i));
    if (GetInt(call.node, flags[i], 0) != 0 && rank >= 2) {
      text += name + "_used = Transpose <perm = [";
      for (int axis = 0; axis < rank - 2; ++axis) {
        text += std::to_string(axis) + ", ";
      }
      text += std::to_string(rank - 1) + ", " + std::to_string(rank - 2) +
              "]> (" + name + ")\n";
    } else {
      text += name + "_used = Identity (" + name + ")\n";
    }
  }
  return text +
         "product = MatMul (a_used, b_used)\n"
         "alpha = Constant <value_float = " +
         Number(GetFloat(call.node, "alpha", 1.0f)) +
         "> ()\n"
         "typed = CastLike (alpha, product)\n"
         "y = Mul (product, typed)\n}";
}

/// The lines of real = (a - a_zero) (b - b_zero), for two `factors` and the
/// names of their zero points, empty where there is none.
inline std::string IntegerProduct(const std::string& factors,
                                  const std::string& a_zero,
                                  const std::string& b_zero) {
  std::string zeros;
  if (!a_zero.empty() || !b_zero.empty()) zeros += ", " + a_zero;
  if (!b_zero.empty()) zeros += ", " + b_zero;
  return "sums = MatMulInteger (" + factors + zeros +
         ")\n"
         "real = Cast <to = 1> (sums)\n";
}

/// The lines of y = real a_scale b_scale + bias, which end a function.
inline std::string Rescale(bool has_bias) {
  return std::string(
             "typed = CastLike (real, a_scale)\n"
             "scale = Mul (a_scale, b_scale)\n") +
         (has_bias ? "scaled = Mul (typed, scale)\n"
                     "y = Add (scaled, bias)\n}"
                   : "y = Mul (typed, scale)\n}");
}

/// y = (a - a_zero) (b - b_zero) a_scale b_scale + bias
inline std::string MatMulIntegerToFloat(const Call& call) {
  return "F (a, b, a_scale, b_scale, a_zero, b_zero, bias) => (y) {\n" +
         IntegerProduct("a, b", call.Has(4) ? "a_zero" : "",
                        call.Has(5) ? "b_zero" : "") +
         Rescale(call.Has(6));
}

/// The same with a quantized when it is seen.
inline std::string DynamicQuantizeMatMul(const Call& call) {
  return "F (a, b, b_scale, b_zero, bias) => (y) {\n"
         "codes, a_scale, a_zero = DynamicQuantizeLinear (a)\n" +
         IntegerProduct("codes, b", "a_zero", call.Has(3) ? "b_zero" : "") +
         Rescale(call.Has(4));
}

/// The lines of attention over the heads of q, k, v = product + bias. A mask
/// has a row for each batch, [batch, keys] or [batch, queries, keys], or the
/// number of keys of each batch; what it hides gets mask_filter_value added.
inline std::string AttendToProduct(const Call& call, int mask, bool has_extra) {
  const std::string heads = std::to_string(GetInt(call.node, "num_heads", 1));
  const float scale = GetFloat(call.node, "scale", 0.0f);
  std::string text = call.Has(2) ? "qkv = Add (product, bias)\n"
                                 : "qkv = Identity (product)\n";
  const auto sizes = GetInts(call.node, "qkv_hidden_sizes");
  if (sizes.size() == 3) {
    text += "sizes = Constant <value_ints = [" + std::to_string(sizes[0]) +
            ", " + std::to_string(sizes[1]) + ", " + std::to_string(sizes[2]) +
            "]> ()\nq, k, v = Split <axis = -1> (qkv, sizes)\n";
  } else {
    text += "q, k, v = Split <axis = -1, num_outputs = 3> (qkv)\n";
  }
  std::string added;
  if (call.Has(mask)) {
    const int rank = call.Rank(static_cast<std::size_t>(mask));
    const char* axes = rank == 3 ? "[1]" : "[1, 2]";
    if (rank == 1) {
      text +=
          "zero = Constant <value = int32 {0}> ()\n"
          "one = Constant <value = int32 {1}> ()\n"
          "shape = Shape <start = 1, end = 2> (x)\n"
          "long = Squeeze (shape)\n"
          "length = Cast <to = 6> (long)\n"
          "places = Range (zero, length, one)\n"
          "last = Constant <value_ints = [1]> ()\n"
          "limits = Unsqueeze (mask, last)\n"
          "shown = Less (places, limits)\n";
    } else {
      text += "shown = Cast <to = 9> (mask)\n";
    }
    text += std::string("axes = Constant <value_ints = ") + axes +
            "> ()\n"
            "spread = Unsqueeze (shown, axes)\n"
            "nothing = Constant <value_float = 0.0> ()\n"
            "filter = Constant <value_float = " +
            Number(GetFloat(call.node, "mask_filter_value", -10000.0f)) +
            "> ()\n"
            "filtered = Where (spread, nothing, filter)\n"
            "hidden = CastLike (filtered, q)\n";
    added = "hidden";
  }
  if (has_extra) {
    text += added.empty() ? "masked = Identity (extra)\n"
                          : "masked = Add (hidden, extra)\n";
    added = "masked";
  }
  return text + "y = Attention <q_num_heads = " + heads +
         ", kv_num_heads = " + heads + ", is_causal = " +
         std::to_string(GetInt(call.node, "unidirectional", 0)) +
         (scale > 0 ? ", scale = " + Number(scale) : "") + "> (q, k, v" +
         (added.empty() ? "" : ", " + added) + ")\n}";
}

inline std::string Attention(const Call& call) {
  return "F (x, w, bias, mask, past, extra) => (y) {\n"
         "product = MatMul (x, w)\n" +
         AttendToProduct(call, 3, call.Has(5));
}

/// The same with the product of codes.
inline std::string QAttention(const Call& call) {
  return "F (x, w, bias, x_scale, w_scale, mask, x_zero, w_zero, past) => "
         "(y) {\n" +
         IntegerProduct("x, w", call.Has(6) ? "x_zero" : "",
                        call.Has(7) ? "w_zero" : "") +
         "scale = Mul (x_scale, w_scale)\n"
         "product = Mul (real, scale)\n" +
         AttendToProduct(call, 5, false);
}

struct Entry {
  const char* op_type;
  std::string (*text)(const Call& call);
};
inline constexpr Entry kFunctions[] = {
    {"Attention", Attention},
    {"BiasGelu", BiasGelu},
    {"DynamicQuantizeMatMul", DynamicQuantizeMatMul},
    {"EmbedLayerNormalization", EmbedLayerNormalization},
    {"FastGelu", FastGelu},
    {"FusedMatMul", FusedMatMul},
    {"Gelu", Gelu},
    {"MatMulIntegerToFloat", MatMulIntegerToFloat},
    {"QAttention", QAttention},
    {"QEmbedLayerNormalization", QEmbedLayerNormalization},
    {"QuickGelu", QuickGelu},
    {"SkipLayerNormalization", SkipLayerNormalization},
    {"SkipSimplifiedLayerNormalization", SkipSimplifiedLayerNormalization},
};

/// The definition of an operator of com.microsoft, or nullptr.
inline const Entry* Find(std::string_view op_type) {
  for (const Entry& entry : kFunctions) {
    if (op_type == entry.op_type) return &entry;
  }
  return nullptr;
}

/// The function of one call. Errors: kUnsupported for inputs that the
/// definition does not cover.
inline Result<onnx::FunctionProto> Define(
    const Entry& entry, const onnx::NodeProto& node,
    const std::vector<onnx::TypeProto>& types) {
  const int past = node.op_type() == "Attention"    ? 4
                   : node.op_type() == "QAttention" ? 8
                                                    : -1;
  if (past > 0 && node.input_size() > past && !node.input(past).empty()) {
    return Unsupported(node.op_type() + " with keys and values of the past");
  }
  const std::string text =
      "<domain: \"com.microsoft\", opset_import: [\"\" : 24]>\n" +
      entry.text({node, types});
  onnx::FunctionProto function;
  onnx::OnnxParser parser(text.c_str());
  const auto parsed = parser.Parse(function);
  if (!parsed.IsOK()) {
    return InvalidModel("the attributes or inputs of " + node.op_type() +
                        " fit no definition: " + parsed.ErrorMessage());
  }
  return function;
}

}  // namespace zeropoint::contrib

#endif  // ZEROPOINT_EXEC_CONTRIB_FUNCTIONS_H_
