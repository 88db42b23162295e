// Form: the four ways to write a quantized model.
#ifndef ZEROPOINT_CORE_FORM_H_
#define ZEROPOINT_CORE_FORM_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "zeropoint/core/status.h"

namespace zeropoint {

enum class Form : std::uint8_t {
  kQdq,        // float operators between DequantizeLinear and QuantizeLinear
  kQOperator,  // operators on codes: QLinearConv, QLinearMatMul
  kInteger,    // ConvInteger and MatMulInteger, then an explicit rescale
  kFloat,      // no codes at all
};

/// The form's name on the command line and in reports.
constexpr std::string_view FormName(Form form) {
  switch (form) {
    case Form::kQdq:
      return "qdq";
    case Form::kQOperator:
      return "qoperator";
    case Form::kInteger:
      return "integer";
    default:
      return "float";
  }
}

/// Errors: kInvalidArgument for any other text.
inline Result<Form> ParseForm(std::string_view text) {
  for (const Form form :
       {Form::kQdq, Form::kQOperator, Form::kInteger, Form::kFloat}) {
    if (FormName(form) == text) return form;
  }
  return InvalidArgument("unknown form '" + std::string(text) +
                         "'; known: qdq, qoperator, integer, float");
}

/// The domain of ONNX Runtime's own operators, QLinearAdd among them.
inline constexpr std::string_view kMicrosoftDomain = "com.microsoft";

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_FORM_H_
