// Sequences and optionals: values that are not one tensor.
//
// A sequence shares its members with the sequences it is made from; an optional
// that holds something is what it holds.
#ifndef ZEROPOINT_EXEC_OPERATORS_SEQUENCE_H_
#define ZEROPOINT_EXEC_OPERATORS_SEQUENCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/join.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace sequence {

using Members = std::vector<RunValue>;

inline RunValue SequenceOf(Members members) {
  RunValue value;
  value.kind = RunValue::Kind::kSequence;
  for (RunValue& member : members) member.constant = false;
  value.members = std::make_shared<const Members>(std::move(members));
  return value;
}

/// The members of input i. Errors: it is no sequence.
inline Result<const Members*> MembersOf(const OpContext& context,
                                        std::size_t i) {
  const RunValue* value = context.value(i);
  if (value == nullptr || value->kind != RunValue::Kind::kSequence) {
    return InvalidModel("input " + std::to_string(i) + " is not a sequence");
  }
  return value->members.get();
}

/// The position that input i names among `size`; negative ones count from the
/// end. Without the input: `otherwise`.
inline Result<std::size_t> PositionOf(const OpContext& context, std::size_t i,
                                      std::size_t size, std::size_t otherwise) {
  if (!context.has_input(i)) return otherwise;
  ZEROPOINT_ASSIGN_OR_RETURN(const auto position, ReadIntegers(context, i));
  if (position.size() != 1) return InvalidData("a position is one integer");
  auto at = NormalizeAxis(position[0], size);
  if (at.ok()) return at;
  return InvalidData("position " + std::to_string(position[0]) +
                     " is outside a sequence of " + std::to_string(size));
}

/// y = (input 0, input 1, ...)
inline Status RunConstruct(OpContext& context) {
  ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(context.input_count()));
  Members members;
  for (std::size_t i = 0; i < context.input_count(); ++i) {
    members.push_back(*context.value(i));
  }
  context.SetOutput(0, SequenceOf(std::move(members)));
  return Status();
}

inline Status RunEmpty(OpContext& context) {
  context.SetOutput(0, SequenceOf({}));
  return Status();
}

inline Status RunLength(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(const Members* members, MembersOf(context, 0));
  ZEROPOINT_ASSIGN_OR_RETURN(std::int64_t * y,
                             context.Output<std::int64_t>(0, {}));
  *y = std::ssize(*members);
  return Status();
}

inline Status RunAt(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(const Members* members, MembersOf(context, 0));
  if (!context.has_input(1)) return InvalidModel("the position is missing");
  ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t at,
                             PositionOf(context, 1, members->size(), 0));
  context.SetOutput(0, (*members)[at]);
  return Status();
}

/// Input 1 before the member at the position, or behind the last.
inline Status RunInsert(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(const Members* members, MembersOf(context, 0));
  if (!context.has_input(1) || !context.value(1)->is_tensor()) {
    return InvalidModel("input 1 must be the tensor to insert");
  }
  // The place behind the last member counts from the front only.
  std::size_t at = members->size();
  if (context.has_input(2)) {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto position, ReadIntegers(context, 2));
    if (position.size() != 1) return InvalidData("a position is one integer");
    if (position[0] != std::ssize(*members)) {
      ZEROPOINT_ASSIGN_OR_RETURN(at,
                                 PositionOf(context, 2, members->size(), at));
    }
  }
  Members all = *members;
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(at), *context.value(1));
  context.SetOutput(0, SequenceOf(std::move(all)));
  return Status();
}

inline Status RunErase(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(const Members* members, MembersOf(context, 0));
  if (members->empty()) return InvalidData("the sequence is empty");
  ZEROPOINT_ASSIGN_OR_RETURN(
      const std::size_t at,
      PositionOf(context, 1, members->size(), members->size() - 1));
  Members rest = *members;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at));
  context.SetOutput(0, SequenceOf(std::move(rest)));
  return Status();
}

/// Input 0 cut along `axis`: into slices without that axis (unless keepdims),
/// into pieces of one size, or into pieces of the given sizes.
class SplitToSequence final : public Operator {
 public:
  explicit SplitToSequence(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", 0)),
        keeps_(GetInt(init.node, "keepdims", 1) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, x.rank()));
    const std::int64_t whole = x.dims()[axis];
    std::vector<std::int64_t> sizes;
    const bool given = context.has_input(1);
    if (given) {
      ZEROPOINT_ASSIGN_OR_RETURN(sizes, ReadIntegers(context, 1));
    }
    if (!given || context.input(1).rank() == 0) {
      const std::int64_t size = given ? sizes[0] : 1;
      if (size < 1) return InvalidData("pieces of no size");
      sizes.clear();
      for (std::int64_t at = 0; at < whole; at += std::min(size, whole - at)) {
        sizes.push_back(std::min(size, whole - at));
      }
    }
    Members members;
    std::int64_t at = 0;
    for (const std::int64_t size : sizes) {
      if (size < 0 || size > whole - at) {
        return InvalidData("pieces " + FormatDims(sizes) +
                           " do not make up an axis of " +
                           std::to_string(whole));
      }
      ZEROPOINT_ASSIGN_OR_RETURN(
          RunValue part, CopyPart(context.resources(), *context.value(0), axis,
                                  at, size, given || keeps_));
      members.push_back(std::move(part));
      at += size;
    }
    if (at != whole) {
      return InvalidData("pieces " + FormatDims(sizes) +
                         " do not make up an axis of " + std::to_string(whole));
    }
    context.SetOutput(0, SequenceOf(std::move(members)));
    return Status();
  }

 private:
  std::int64_t axis_;
  bool keeps_;
};

/// The members of a sequence along `axis`, an old or a new one.
class ConcatFromSequence final : public Operator {
 public:
  explicit ConcatFromSequence(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", 0)),
        new_axis_(GetInt(init.node, "new_axis", 0) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const Members* members, MembersOf(context, 0));
    ZEROPOINT_ASSIGN_OR_RETURN(
        RunValue joined,
        JoinValues(context.resources(), *members, axis_, new_axis_));
    context.SetOutput(0, std::move(joined));
    return Status();
  }

 private:
  std::int64_t axis_;
  bool new_axis_;
};

/// An optional that holds input 0, or nothing.
inline Status RunOptional(OpContext& context) {
  RunValue value;
  value.kind = RunValue::Kind::kEmptyOptional;
  if (context.has_input(0)) value = *context.value(0);
  context.SetOutput(0, std::move(value));
  return Status();
}

inline Status RunHasElement(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(bool* y, context.Output<bool>(0, {}));
  *y = context.has_input(0) &&
       context.value(0)->kind != RunValue::Kind::kEmptyOptional;
  return Status();
}

inline Status RunGetElement(OpContext& context) {
  if (!context.has_input(0) ||
      context.value(0)->kind == RunValue::Kind::kEmptyOptional) {
    return InvalidData("the optional is empty");
  }
  context.SetOutput(0, *context.value(0));
  return Status();
}

}  // namespace sequence

inline void AddSequenceOperators(OperatorRegistry& registry) {
  using namespace sequence;  // NOLINT(google-build-using-namespace)
  registry.Add("", "ConcatFromSequence", {}, Construct<ConcatFromSequence>);
  registry.Add("", "Optional", {}, Stateless<RunOptional>);
  registry.Add("", "OptionalGetElement", {}, Stateless<RunGetElement>);
  registry.Add("", "OptionalHasElement", {}, Stateless<RunHasElement>);
  registry.Add("", "SequenceAt", {}, Stateless<RunAt>);
  registry.Add("", "SequenceConstruct", {}, Stateless<RunConstruct>);
  registry.Add("", "SequenceEmpty", {}, Stateless<RunEmpty>);
  registry.Add("", "SequenceErase", {}, Stateless<RunErase>);
  registry.Add("", "SequenceInsert", {}, Stateless<RunInsert>);
  registry.Add("", "SequenceLength", {}, Stateless<RunLength>);
  registry.Add("", "SplitToSequence", {}, Construct<SplitToSequence>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_SEQUENCE_H_
