// InputDescription: what a model says of one of its inputs, as far as data must
// know it.
//
// Sources of samples check against this, not against a model: the data layer
// knows nothing of graphs.
#ifndef ZEROPOINT_DATA_INPUT_DESCRIPTION_H_
#define ZEROPOINT_DATA_INPUT_DESCRIPTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

struct InputDescription {
  std::string name = {};
  DataType type = DataType::kUndefined;
  /// -1 for an axis of any length; nothing when the model states no shape.
  std::optional<Dims> dims = {};
  /// The model has a default for it (an initializer of its name).
  bool optional = false;
};

/// The input called `name`, or nullptr.
inline const InputDescription* FindInput(
    std::span<const InputDescription> inputs, std::string_view name) {
  for (const InputDescription& input : inputs) {
    if (input.name == name) return &input;
  }
  return nullptr;
}

/// "'input_ids', 'attention_mask'", for messages.
inline std::string FormatNames(std::span<const InputDescription> inputs) {
  std::string text;
  for (const InputDescription& input : inputs) {
    text += (text.empty() ? "'" : ", '") + input.name + "'";
  }
  return text.empty() ? "none" : text;
}

/// The error for data called `name` that no input asks for; it completes
/// "array 'y' ...".
inline Status UnknownInput(std::span<const InputDescription> inputs) {
  return InvalidData("names no input of the model; its inputs are " +
                     FormatNames(inputs));
}

/// Whether a value of shape `dims` fits. The error completes "array 'x' ...".
inline Status CheckShape(const InputDescription& input,
                         std::span<const std::int64_t> dims) {
  if (!input.dims) return Status();
  bool fits = dims.size() == input.dims->size();
  for (std::size_t i = 0; fits && i < dims.size(); ++i) {
    fits = (*input.dims)[i] < 0 || (*input.dims)[i] == dims[i];
  }
  if (fits) return Status();
  std::string wanted = "[";
  for (const std::int64_t dim : *input.dims) {
    if (wanted.size() > 1) wanted += ", ";
    wanted += dim < 0 ? "any" : std::to_string(dim);
  }
  return InvalidData("has samples of shape " + FormatDims(dims) +
                     ", the model's input '" + input.name + "' takes " +
                     wanted + "] (its batch axis included)");
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_INPUT_DESCRIPTION_H_
