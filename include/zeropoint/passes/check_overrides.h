// CheckOverrides: whether what a user fixed for single tensors can hold.
#ifndef ZEROPOINT_PASSES_CHECK_OVERRIDES_H_
#define ZEROPOINT_PASSES_CHECK_OVERRIDES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/nearest_names.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/core/tensor_overrides.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/real_constants.h"

namespace zeropoint {

namespace internal {

/// The value called `name` in any scope, outer ones first.
inline ValueId FindInAnyScope(const GraphView& graph, std::string_view name) {
  for (std::size_t i = 0; i < graph.scope_count(); ++i) {
    const ValueId value = graph.Find(name, static_cast<ScopeId>(i));
    if (value != kNoValue) return value;
  }
  return kNoValue;
}

inline Status CheckCodes(const QuantizationOverride& fixed,
                         const SchemeSpec& scheme) {
  const SchemeSpec with = OverrideScheme(scheme, fixed);
  if (fixed.params && (fixed.params->scale < SmallestNormal(with.scale_type) ||
                       fixed.params->scale > Largest(with.scale_type))) {
    return InvalidArgument("scale " + std::to_string(fixed.params->scale) +
                           " is outside the normal numbers of " +
                           std::string(DataTypeName(with.scale_type)) +
                           ", the type that the model stores it in");
  }
  const auto full = FullCodeRange(with.storage);
  if (!full) {
    return InvalidArgument("codes cannot be " +
                           std::string(DataTypeName(with.storage)));
  }
  if (fixed.params && (fixed.params->zero_point < full->qmin ||
                       fixed.params->zero_point > full->qmax)) {
    return InvalidArgument(
        "zero point " + std::to_string(fixed.params->zero_point) +
        " is no code of " + std::string(DataTypeName(with.storage)));
  }
  return Status();
}

inline Status CheckConstantOverride(const GraphView& graph, ValueId value,
                                    const TensorOverride& tensor,
                                    SchemeSpec weights) {
  weights.scale_type = RealTypeOf(graph, value);
  if (tensor.conversion) {
    return InvalidArgument("it is constant; only activations are converted");
  }
  for (const QuantizationOverride& fixed : tensor.channels) {
    ZEROPOINT_RETURN_IF_ERROR(CheckCodes(fixed, weights));
    if (fixed.quant_type != tensor.at(0).quant_type) {
      return InvalidArgument("its channels have different types");
    }
  }
  if (!tensor.axis) return Status();
  const auto dims = graph.shape(value).value_or(Dims());
  const int axis =
      *tensor.axis + (*tensor.axis < 0 ? static_cast<int>(dims.size()) : 0);
  if (axis < 0 || static_cast<std::size_t>(axis) >= dims.size()) {
    return InvalidArgument("it has no axis " + std::to_string(*tensor.axis));
  }
  const std::int64_t length = dims[static_cast<std::size_t>(axis)];
  if (tensor.channels.size() != 1 &&
      static_cast<std::int64_t>(tensor.channels.size()) != length) {
    return InvalidArgument(
        "there are " + std::to_string(tensor.channels.size()) +
        " entries for the " + std::to_string(length) + " indices of axis " +
        std::to_string(*tensor.axis) + "; give one, or one for each");
  }
  return Status();
}

inline Status CheckActivationOverride(const GraphView& graph, ValueId value,
                                      const TensorOverride& tensor,
                                      SchemeSpec activations) {
  activations.scale_type = RealTypeOf(graph, value);
  const auto wide = [](const QuantizationOverride& fixed) {
    return !fixed.quant_type || BitsOf(*fixed.quant_type) >= 8;
  };
  if (tensor.channels.size() != 1 || tensor.axis) {
    return InvalidArgument("it is an activation, which has one scale");
  }
  const QuantizationOverride& fixed = tensor.at(0);
  if (fixed.reduce_range ||
      (tensor.conversion && tensor.conversion->to.reduce_range)) {
    return InvalidArgument("'reduce_range' is for constants");
  }
  if (!wide(fixed) || (tensor.conversion && !wide(tensor.conversion->to))) {
    return InvalidArgument("activations have 8 or 16 bits");
  }
  ZEROPOINT_RETURN_IF_ERROR(CheckCodes(fixed, activations));
  if (!tensor.conversion) return Status();
  const SchemeSpec own = OverrideScheme(activations, fixed);
  ZEROPOINT_RETURN_IF_ERROR(CheckCodes(tensor.conversion->to, own));
  if (OverrideScheme(own, tensor.conversion->to).storage == own.storage) {
    return InvalidArgument("'convert' has the type that the tensor has");
  }
  std::vector<std::string> readers;
  for (const Use& use : graph.uses(value)) {
    readers.push_back(graph.node(use.node).name());
  }
  for (const std::string& name : tensor.conversion->receivers) {
    if (std::find(readers.begin(), readers.end(), name) != readers.end() &&
        !name.empty()) {
      continue;
    }
    return InvalidArgument("no node '" + name + "' of 'recv_nodes' reads it" +
                           NearestNames(name, readers));
  }
  return Status();
}

}  // namespace internal

/// Errors: kInvalidArgument for a tensor or receiver that is not there, with
/// the nearest names; for an axis, a number of entries, a type or a zero point
/// that does not fit.
inline Status CheckOverrides(const GraphView& graph, const TargetSpec& target,
                             const TensorOverrides& overrides) {
  for (const auto& [name, tensor] : overrides) {
    const auto in_context = [&name](const Status& status) {
      return status.WithContext("override of tensor '" + name + "'");
    };
    const ValueId value = internal::FindInAnyScope(graph, name);
    if (value == kNoValue || tensor.channels.empty()) {
      std::vector<std::string> known;
      for (std::size_t i = 0; i < graph.value_count(); ++i) {
        known.emplace_back(graph.name(static_cast<ValueId>(i)));
      }
      return in_context(InvalidArgument("the model has no such tensor" +
                                        NearestNames(name, known)));
    }
    const Status status = graph.IsConstant(value)
                              ? internal::CheckConstantOverride(
                                    graph, value, tensor, target.weights)
                              : internal::CheckActivationOverride(
                                    graph, value, tensor, target.activations);
    if (!status.ok()) return in_context(status);
  }
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_CHECK_OVERRIDES_H_
