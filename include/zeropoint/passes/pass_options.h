// Options of a pass as text: what a pass declares, and what a user wrote.
#ifndef ZEROPOINT_PASSES_PASS_OPTIONS_H_
#define ZEROPOINT_PASSES_PASS_OPTIONS_H_

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/assert.h"
#include "zeropoint/core/status.h"

namespace zeropoint {

/// One option that a pass understands.
struct PassOption {
  std::string_view name;
  /// The text that stands for the default; read by the same code as the user's.
  std::string_view default_value;
  std::string_view help;
};

/// The options of one pass in one pipeline: every declared option has a value,
/// the user's or the default. Readers name the option and where it stands when
/// its value is wrong.
class OptionMap {
 public:
  /// Where a value came from when the user did not write it.
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  /// Sets or replaces. `position` is the value's offset in the pipeline text.
  void Set(std::string_view name, std::string value,
           std::size_t position = kNowhere) {
    for (Entry& entry : entries_) {
      if (entry.name != name) continue;
      entry.value = std::move(value);
      entry.position = position;
      return;
    }
    entries_.push_back({std::string(name), std::move(value), position});
  }

  bool Has(std::string_view name) const { return Find(name) != nullptr; }

  /// The text as written. Requires that the pass declares the option.
  const std::string& Text(std::string_view name) const {
    return Get(name).value;
  }

  /// A whole number of at least 0.
  Result<std::uint64_t> Count(std::string_view name) const {
    const std::string& text = Text(name);
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end) {
      return Wrong(name, "a whole number such as 1048576");
    }
    return value;
  }

  /// "true" or "false".
  Result<bool> Flag(std::string_view name) const {
    const std::string& text = Text(name);
    if (text != "true" && text != "false") return Wrong(name, "true or false");
    return text == "true";
  }

  /// The error for a value that the pass cannot use: what it expected instead.
  Status Wrong(std::string_view name, std::string_view expected) const {
    const Entry& entry = Get(name);
    std::string where;
    if (entry.position != kNowhere) {
      where = " at position " + std::to_string(entry.position + 1);
    }
    return InvalidArgument("option '" + std::string(name) + "'" + where +
                           " has value '" + entry.value + "'; expected " +
                           std::string(expected));
  }

 private:
  struct Entry {
    std::string name;
    std::string value;
    std::size_t position;
  };

  const Entry* Find(std::string_view name) const {
    const auto found =
        std::find_if(entries_.begin(), entries_.end(),
                     [name](const Entry& entry) { return entry.name == name; });
    return found == entries_.end() ? nullptr : &*found;
  }
  const Entry& Get(std::string_view name) const {
    const Entry* entry = Find(name);
    ZEROPOINT_ASSERT(entry != nullptr,
                     "a pass reads only the options that it declares");
    return *entry;
  }

  std::vector<Entry> entries_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_PASS_OPTIONS_H_
