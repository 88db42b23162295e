// ReadJsonRecords: the records of a large JSON file, one after another.
//
// Annotations of a data set are lists of flat records, with outlines that take
// up most of the file and that nobody here looks at. So no tree is made of it:
// the parser's events fill one record, which is handed over and forgotten.
#ifndef ZEROPOINT_DATA_JSON_RECORDS_H_
#define ZEROPOINT_DATA_JSON_RECORDS_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"

namespace zeropoint {

/// What a record says under one key.
struct JsonValue {
  enum class Kind : std::uint8_t {
    kMissing,
    kNumber,
    kBoolean,  // `number` is 0 or 1
    kText,
    kNumbers,  // a list of numbers, perhaps empty
    kOther,
  };
  Kind kind = Kind::kMissing;
  double number = 0.0;
  /// The number, where it is a whole one that fits.
  std::int64_t whole_number = 0;
  bool whole = false;
  std::string text = {};
  std::vector<double> numbers = {};
};

/// A list of records to read.
struct JsonRecordList {
  /// Where it stands in the document, an object; empty: the document is the
  /// list itself.
  std::string_view name = {};
  /// What is kept of a record; other keys are passed over.
  std::vector<std::string_view> keys = {};
  /// Gets each record, a value for each of `keys` in their order, and its
  /// number from 0 on. An error ends the reading.
  std::function<Status(std::size_t number, std::span<const JsonValue> values)>
      take = {};
};

namespace internal {

class JsonRecordHandler final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit JsonRecordHandler(std::span<const JsonRecordList> lists)
      : lists_(lists),
        whole_document_(lists.front().name.empty()),
        found_(lists.size(), false) {}

  /// Success, or why the reading ended.
  Status Finish() const {
    ZEROPOINT_RETURN_IF_ERROR(status_);
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      if (!found_[i]) {
        return InvalidData("has no list '" + std::string(lists_[i].name) + "'");
      }
    }
    return Status();
  }

  bool null() override {
    return Scalar([](JsonValue&) {}, "null");
  }
  bool boolean(bool value) override {
    return Scalar(
        [value](JsonValue& to) {
          to.kind = JsonValue::Kind::kBoolean;
          to.number = value ? 1.0 : 0.0;
        },
        "a boolean");
  }
  bool number_integer(std::int64_t value) override {
    return Number(static_cast<double>(value), value, true);
  }
  bool number_unsigned(std::uint64_t value) override {
    const bool fits = std::in_range<std::int64_t>(value);
    return Number(static_cast<double>(value),
                  fits ? static_cast<std::int64_t>(value) : 0, fits);
  }
  bool number_float(double value, const std::string&) override {
    // Python's json writes 3.0 for a whole number that once was a float.
    constexpr double kExact = 9007199254740992.0;  // 2^53
    const bool whole = std::fabs(value) <= kExact && std::floor(value) == value;
    return Number(value, whole ? static_cast<std::int64_t>(value) : 0, whole);
  }
  bool string(std::string& value) override {
    return Scalar(
        [&value](JsonValue& to) {
          to.kind = JsonValue::Kind::kText;
          to.text = std::move(value);
        },
        "a text");
  }
  bool binary(nlohmann::json::binary_t&) override { return true; }

  bool start_object(std::size_t) override {
    if (depth_ == 0 && whole_document_) return Fail(NotAList("an object"));
    if (list_ != nullptr && depth_ == records_depth()) {
      values_.assign(list_->keys.size(), JsonValue());
      value_ = nullptr;
    } else if (value_ != nullptr) {
      value_->kind = JsonValue::Kind::kOther;
    }
    ++depth_;
    return true;
  }
  bool key(std::string& name) override {
    if (depth_ == 1 && !whole_document_) {
      next_list_ = 0;
      while (next_list_ < lists_.size() && lists_[next_list_].name != name) {
        ++next_list_;
      }
    } else if (list_ != nullptr && depth_ == records_depth() + 1) {
      value_ = nullptr;
      for (std::size_t i = 0; i < values_.size(); ++i) {
        if (list_->keys[i] == name) value_ = &values_[i];
      }
      if (value_ != nullptr) *value_ = JsonValue();
    }
    return true;
  }
  bool end_object() override {
    --depth_;
    if (list_ == nullptr || depth_ != records_depth()) return true;
    value_ = nullptr;
    const Status taken = list_->take(record_, values_);
    if (!taken.ok()) return Fail(taken.WithContext(RecordName()));
    ++record_;
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ == 0 && !whole_document_) {
      return Fail(InvalidData("is a list, not an object with the list '" +
                              std::string(lists_.front().name) + "'"));
    }
    if (list_ != nullptr && depth_ == records_depth()) {
      return NoRecord("a list");
    }
    if (list_ == nullptr) {
      BeginList();
    } else if (value_ != nullptr) {
      value_->kind = depth_ == records_depth() + 1 ? JsonValue::Kind::kNumbers
                                                   : JsonValue::Kind::kOther;
    }
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    if (list_ != nullptr && depth_ + 1 == records_depth()) list_ = nullptr;
    return true;
  }

  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::json::exception&) override {
    std::string message = "is not JSON: byte " + std::to_string(position);
    if (list_ != nullptr) message += ", in " + RecordName();
    message += ", near '" + last_token + "'";
    const bool not_a_number =
        last_token.ends_with('N') || last_token.ends_with('I');
    message += not_a_number ? "; JSON has no NaN and no infinity"
                            : "; write or fetch the file again";
    return Fail(InvalidData(std::move(message)));
  }

 private:
  // How deep the records stand: in a list, perhaps of an object.
  std::size_t records_depth() const { return whole_document_ ? 1 : 2; }

  std::string RecordName() const {
    const std::string number = std::to_string(record_);
    return list_->name.empty() ? "record " + number
                               : std::string(list_->name) + "[" + number + "]";
  }

  void BeginList() {
    const std::size_t next = whole_document_ ? 0 : next_list_;
    if (depth_ + 1 != records_depth() || next == lists_.size()) return;
    list_ = &lists_[next];
    found_[next] = true;
    record_ = 0;
  }

  bool Number(double number, std::int64_t whole_number, bool whole) {
    if (value_ != nullptr && depth_ == records_depth() + 2 &&
        value_->kind == JsonValue::Kind::kNumbers) {
      value_->numbers.push_back(number);
      return true;
    }
    return Scalar(
        [&](JsonValue& to) {
          to.kind = JsonValue::Kind::kNumber;
          to.number = number;
          to.whole_number = whole_number;
          to.whole = whole;
        },
        "a number");
  }

  // A value that is no list and no object: of a record, of a list in it, or one
  // that nobody asked for.
  template <class Set>
  bool Scalar(Set&& set, const char* what) {
    if (depth_ == 0) return Fail(NotAList(what));
    if (list_ == nullptr) return true;
    if (depth_ == records_depth()) return NoRecord(what);
    if (value_ == nullptr) return true;
    if (depth_ == records_depth() + 1) {
      value_->kind = JsonValue::Kind::kOther;  // what null stays
      set(*value_);
    } else {
      value_->kind = JsonValue::Kind::kOther;
    }
    return true;
  }

  Status NotAList(const std::string& what) const {
    return InvalidData("is " + what + ", not " +
                       (whole_document_ ? "a list of records" : "an object"));
  }
  bool NoRecord(const std::string& what) {
    return Fail(InvalidData(RecordName() + " is " + what + ", not a record"));
  }
  bool Fail(Status status) {
    status_ = std::move(status);
    return false;
  }

  std::span<const JsonRecordList> lists_;
  const bool whole_document_;
  std::vector<bool> found_;
  Status status_;
  std::size_t depth_ = 0;
  std::size_t next_list_ = 0;             // the one whose key was last read
  const JsonRecordList* list_ = nullptr;  // the one that is read
  std::size_t record_ = 0;
  std::vector<JsonValue> values_;  // of the record
  JsonValue* value_ = nullptr;     // the one whose key was last read
};

}  // namespace internal

/// Hands over every record of `lists` as it stands in the JSON document `text`.
/// Either one list without a name, or any number with names. Depth and size of
/// what is passed over do not matter.
///
/// Errors: kInvalidData for what is not JSON, not of that form, or lacks a
/// list; those of `take`, with the record in front. The messages complete
/// "'a.json' ...".
inline Status ReadJsonRecords(std::string_view text,
                              std::span<const JsonRecordList> lists) {
  internal::JsonRecordHandler handler(lists);
  nlohmann::json::sax_parse(text, &handler);
  return handler.Finish();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_JSON_RECORDS_H_
