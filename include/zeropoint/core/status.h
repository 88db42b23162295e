// Status and Result<T>: errors as values.
//
// Compilers embed this library with -fno-exceptions -fno-rtti, so nothing in it
// throws. A function that can fail for a reason outside the program (a bad
// model, bad data, a bad option, the file system) returns Status or Result<T>;
// a broken precondition is ZEROPOINT_ASSERT's business (assert.h).
#ifndef ZEROPOINT_CORE_STATUS_H_
#define ZEROPOINT_CORE_STATUS_H_

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "zeropoint/core/assert.h"

namespace zeropoint {

/// What kind of thing went wrong, for programs; the message is for people.
enum class StatusCode {
  kOk,
  kInvalidArgument,  // an option or argument that can never be right
  kInvalidModel,     // the model breaks a rule of ONNX
  kInvalidData,      // the samples do not fit the model
  kNotFound,         // a file, node, tensor or input that is not there
  kUnsupported,      // valid, but outside what this library does
  kIoError,          // the file system refused
  kCancelled,        // the caller asked to stop
};

/// Success, or a code with a message that names what went wrong, where, and
/// what to do about it.
class [[nodiscard]] Status {
 public:
  constexpr Status() = default;
  Status(StatusCode code, std::string message)
      : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const& { return message_; }
  // By value: `result.status().message()` may be bound to a reference.
  std::string message() && { return std::move(message_); }

  /// The same error with `context` in front: "context: message". Success stays
  /// success.
  Status WithContext(std::string_view context) const {
    if (ok()) return *this;
    return Status(code_, std::string(context) + ": " + message_);
  }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

/// An error of each code, with its message.
inline Status InvalidArgument(std::string message) {
  return Status(StatusCode::kInvalidArgument, std::move(message));
}
inline Status InvalidModel(std::string message) {
  return Status(StatusCode::kInvalidModel, std::move(message));
}
inline Status InvalidData(std::string message) {
  return Status(StatusCode::kInvalidData, std::move(message));
}
inline Status NotFound(std::string message) {
  return Status(StatusCode::kNotFound, std::move(message));
}
inline Status Unsupported(std::string message) {
  return Status(StatusCode::kUnsupported, std::move(message));
}
inline Status IoError(std::string message) {
  return Status(StatusCode::kIoError, std::move(message));
}
inline Status Cancelled(std::string message) {
  return Status(StatusCode::kCancelled, std::move(message));
}

/// A value, or the Status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  using ValueType = T;

  // Implicit on purpose: `return value;` and `return InvalidModel("...");` both
  // read naturally.
  Result(T value)  // NOLINT(google-explicit-constructor)
      : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Status status)  // NOLINT(google-explicit-constructor)
      : state_(std::in_place_index<1>, std::move(status)) {
    ZEROPOINT_ASSERT(!std::get<1>(state_).ok(),
                     "a Result made from a Status needs an error");
  }

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// The error; Status() when there is a value.
  Status status() const { return ok() ? Status() : *std::get_if<1>(&state_); }

  /// The value. Requires ok().
  T& value() & {
    Require();
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    Require();
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    Require();
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  void Require() const {
    ZEROPOINT_ASSERT(ok(), "value() of a Result that holds an error");
  }
  std::variant<T, Status> state_;
};

}  // namespace zeropoint

#define ZEROPOINT_CONCAT_INNER(a, b) a##b
#define ZEROPOINT_CONCAT(a, b) ZEROPOINT_CONCAT_INNER(a, b)

/// Returns from the enclosing function when `expression` (a Status) is an
/// error. One statement, and a loop that never comes round, not an `if`: an
/// `else` after it belongs to the `if` in front of it.
#define ZEROPOINT_RETURN_IF_ERROR(expression) \
  ZEROPOINT_RETURN_IF_ERROR_INNER(            \
      ZEROPOINT_CONCAT(zeropoint_status_, __LINE__), expression)
// NOLINTBEGIN(bugprone-macro-parentheses): `status` is a name that is declared
#define ZEROPOINT_RETURN_IF_ERROR_INNER(status, expression) \
  for (::zeropoint::Status status = (expression); !status.ok();) return status
// NOLINTEND(bugprone-macro-parentheses)

/// `ZEROPOINT_ASSIGN_OR_RETURN(auto x, Make())`: the value of a Result, or
/// return its error.
#define ZEROPOINT_ASSIGN_OR_RETURN(declaration, expression) \
  ZEROPOINT_ASSIGN_OR_RETURN_INNER(                         \
      ZEROPOINT_CONCAT(zeropoint_result_, __LINE__), declaration, expression)
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration takes none
#define ZEROPOINT_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                             \
  if (!result.ok()) return result.status();                               \
  declaration = std::move(result).value()
// NOLINTEND(bugprone-macro-parentheses)

#endif  // ZEROPOINT_CORE_STATUS_H_
