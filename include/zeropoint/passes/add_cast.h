// AddCast: a Cast node between two types.
#ifndef ZEROPOINT_PASSES_ADD_CAST_H_
#define ZEROPOINT_PASSES_ADD_CAST_H_

#include <cstdint>
#include <string_view>

#include "zeropoint/core/data_type.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/rewriter.h"

namespace zeropoint::internal {

/// output = Cast(value) to `type`; `output` has no producer yet.
inline void AddCastTo(Rewriter& rewriter, ValueId value, DataType type,
                      ValueId output, ScopeId scope) {
  const NodeId cast = rewriter.Add("Cast", {value}, {output}, scope);
  SetAttribute(rewriter.MutableNode(cast), "to",
               static_cast<std::int64_t>(type));
}

/// The same into a new value, called `name` if that is free.
inline ValueId AddCast(Rewriter& rewriter, ValueId value, DataType type,
                       std::string_view name, ScopeId scope) {
  const ValueId output = rewriter.NewValue(name, scope);
  AddCastTo(rewriter, value, type, output, scope);
  return output;
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_ADD_CAST_H_
