#include "zeropoint/core/status.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace zeropoint {
namespace {

Result<int> Half(int x) {
  if (x % 2 != 0) return InvalidData(std::to_string(x) + " is odd");
  return x / 2;
}

Status CheckEven(int x) {
  ZEROPOINT_RETURN_IF_ERROR(Half(x).status().WithContext("check"));
  return Status();
}

Result<std::string> Quarter(int x) {
  ZEROPOINT_ASSIGN_OR_RETURN(const int half, Half(x));
  // A second one in the same function; the declaration may be a plain variable.
  int quarter = 0;
  ZEROPOINT_ASSIGN_OR_RETURN(quarter, Half(half));
  return std::to_string(quarter);
}

Result<std::unique_ptr<int>> Box(int x) {
  ZEROPOINT_ASSIGN_OR_RETURN(int half, Half(x));
  return std::make_unique<int>(half);
}

Result<int> Unbox(int x) {
  ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<int> box, Box(x));
  return *box;
}

// Counts copies, so that a test can see that there are none.
struct Counted {
  Counted() = default;
  Counted(const Counted& other) : copies(other.copies + 1) {}
  Counted(Counted&& other) noexcept = default;
  Counted& operator=(const Counted&) = delete;
  Counted& operator=(Counted&&) = delete;
  ~Counted() = default;
  int copies = 0;
};

BOOST_AUTO_TEST_SUITE(status)

BOOST_AUTO_TEST_CASE(SuccessIsTheDefaultAndHasNoMessage) {
  const Status status;
  BOOST_TEST(status.ok());
  BOOST_TEST((status.code() == StatusCode::kOk));
  BOOST_TEST(status.message().empty());
}

BOOST_AUTO_TEST_CASE(EachMakerHasItsCode) {
  const std::pair<Status, StatusCode> cases[] = {
      {InvalidArgument("m"), StatusCode::kInvalidArgument},
      {InvalidModel("m"), StatusCode::kInvalidModel},
      {InvalidData("m"), StatusCode::kInvalidData},
      {NotFound("m"), StatusCode::kNotFound},
      {Unsupported("m"), StatusCode::kUnsupported},
      {IoError("m"), StatusCode::kIoError},
  };
  for (const auto& [status, code] : cases) {
    BOOST_TEST(!status.ok());
    BOOST_TEST((status.code() == code));
    BOOST_TEST(status.message() == "m");
  }
}

BOOST_AUTO_TEST_CASE(ContextGoesInFrontAndKeepsTheCode) {
  const Status status =
      NotFound("no file").WithContext("inner").WithContext("outer");
  BOOST_TEST((status.code() == StatusCode::kNotFound));
  BOOST_TEST(status.message() == "outer: inner: no file");
}

BOOST_AUTO_TEST_CASE(ContextLeavesSuccessAlone) {
  const Status status = Status().WithContext("anything");
  BOOST_TEST(status.ok());
  BOOST_TEST(status.message().empty());
}

BOOST_AUTO_TEST_CASE(ResultHoldsAValueOrAnError) {
  const Result<int> value = Half(8);
  BOOST_TEST(value.ok());
  BOOST_TEST(static_cast<bool>(value));
  BOOST_TEST(*value == 4);
  BOOST_TEST(value.status().ok());

  const Result<int> error = Half(7);
  BOOST_TEST(!error.ok());
  BOOST_TEST(!static_cast<bool>(error));
  BOOST_TEST((error.status().code() == StatusCode::kInvalidData));
  BOOST_TEST(error.status().message() == "7 is odd");
}

BOOST_AUTO_TEST_CASE(MessageOutlivesTheTemporaryStatus) {
  const Result<int> error = Half(7);
  const std::string& message = error.status().message();
  BOOST_TEST(message == "7 is odd");
}

BOOST_AUTO_TEST_CASE(ResultOfAMoveOnlyTypeMovesOut) {
  static_assert(!std::is_copy_constructible_v<Result<std::unique_ptr<int>>>);
  static_assert(std::is_move_constructible_v<Result<std::unique_ptr<int>>>);
  Result<std::unique_ptr<int>> box = Box(8);
  BOOST_REQUIRE(box.ok());
  BOOST_TEST(**box == 4);
  const std::unique_ptr<int> taken = std::move(box).value();
  BOOST_TEST(*taken == 4);
  const std::unique_ptr<int> direct = *Box(6);
  BOOST_TEST(*direct == 3);
}

BOOST_AUTO_TEST_CASE(ResultNeverCopiesItsValue) {
  Result<Counted> result = Counted();
  Result<Counted> moved = std::move(result);
  const Counted taken = std::move(moved).value();
  BOOST_TEST(taken.copies == 0);
}

BOOST_AUTO_TEST_CASE(ResultGivesAccessToMembers) {
  Result<std::vector<int>> list = std::vector<int>{1, 2};
  list->push_back(3);
  BOOST_TEST(list->size() == 3u);
  list.value()[0] = 9;
  const auto& same = list;
  BOOST_TEST(same->front() == 9);
}

BOOST_AUTO_TEST_CASE(ResultOfBoolTellsTheValueFromSuccess) {
  const Result<bool> no = false;
  BOOST_TEST(no.ok());
  BOOST_TEST(*no == false);
}

BOOST_AUTO_TEST_CASE(ReturnIfErrorReturnsTheError) {
  BOOST_TEST(CheckEven(4).ok());
  BOOST_TEST(CheckEven(5).message() == "check: 5 is odd");
}

BOOST_AUTO_TEST_CASE(AssignOrReturnAssignsOrReturns) {
  BOOST_TEST(Quarter(8).value() == "2");
  BOOST_TEST(Quarter(7).status().message() == "7 is odd");
  BOOST_TEST(Quarter(6).status().message() == "3 is odd");
  BOOST_TEST(Unbox(10).value() == 5);
  BOOST_TEST(Unbox(3).status().message() == "3 is odd");
}

// The expression is evaluated once, and an else after it belongs to the if in
// front of it.
BOOST_AUTO_TEST_CASE(ReturnIfErrorIsOneStatement) {
  int evaluated = 0;
  std::string path;
  const auto run = [&](bool check) -> Status {
    const auto once = [&evaluated] {
      ++evaluated;
      return Status();
    };
    // No braces: what the macro is made for.
    // NOLINTBEGIN(google-readability-braces-around-statements)
    if (check)
      ZEROPOINT_RETURN_IF_ERROR(once());
    else
      path += "else";
    // NOLINTEND(google-readability-braces-around-statements)
    path += ".";
    return Status();
  };
  BOOST_TEST(run(true).ok());
  BOOST_TEST(evaluated == 1);
  BOOST_TEST(path == ".");
  BOOST_TEST(run(false).ok());
  BOOST_TEST(evaluated == 1);
  BOOST_TEST(path == ".else.");
}

// A visitor that itself returns early, inside the expression.
BOOST_AUTO_TEST_CASE(ReturnIfErrorNests) {
  const auto visit = [](auto visitor) -> Status { return visitor(); };
  const auto run = [&](int x) -> Status {
    ZEROPOINT_RETURN_IF_ERROR(visit([&]() -> Status {
      ZEROPOINT_RETURN_IF_ERROR(CheckEven(x));
      ZEROPOINT_ASSIGN_OR_RETURN(const int half, Half(x));
      return half > 0 ? Status() : InvalidData("zero");
    }));
    return Status();
  };
  BOOST_TEST(run(2).ok());
  BOOST_TEST(run(3).message() == "check: 3 is odd");
  BOOST_TEST(run(0).message() == "zero");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
