// PassRegistry: passes by name, for text pipelines, the command line and the
// documentation.
//
// An ordinary object that its owner fills: AddBuiltinPasses(registry), then
// whatever passes the program has of its own. Nothing registers itself before
// main; linkers drop such globals from archives and hosts ban them.
#ifndef ZEROPOINT_PASSES_PASS_REGISTRY_H_
#define ZEROPOINT_PASSES_PASS_REGISTRY_H_

#include <algorithm>
#include <concepts>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/passes/any_pass.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/pass_options.h"

namespace zeropoint {

/// What the registry knows of a pass.
struct PassEntry {
  /// verb-noun, lower case: "fold-batch-norm".
  std::string name;
  /// One line, without a full stop.
  std::string help;
  /// The graph before and after, in a few lines; may be empty.
  std::string sketch;
  std::vector<PassOption> options;
  /// Makes the pass. Gets a value for every option above and no other.
  std::function<Result<AnyPass>(const OptionMap& options)> make;
};

/// A pass that describes itself, as the built-in ones do.
template <class P>
concept DescribedPass = Pass<P> && requires {
  { P::kHelp } -> std::convertible_to<std::string_view>;
  { P::kSketch } -> std::convertible_to<std::string_view>;
};

namespace internal {
template <class P>
concept HasOptions = requires(const OptionMap& options) {
  { std::span<const PassOption>(P::kOptions) };
  { P::FromOptions(options) } -> std::same_as<Result<P>>;
};
}  // namespace internal

class PassRegistry {
 public:
  /// Errors: kInvalidArgument for a name that is taken, or is not lower case
  /// letters and digits joined by single '-'.
  Status Add(PassEntry entry) {
    if (!IsWellFormed(entry.name)) {
      return InvalidArgument("pass name '" + entry.name +
                             "' is not of the form verb-noun: lower-case "
                             "letters and digits joined by '-'");
    }
    const auto place = std::lower_bound(entries_.begin(), entries_.end(),
                                        entry.name, NameLess);
    if (place != entries_.end() && place->name == entry.name) {
      return InvalidArgument("pass '" + entry.name +
                             "' is registered already; give yours another "
                             "name");
    }
    entries_.insert(place, std::move(entry));
    return Status();
  }

  /// Adds a pass that describes itself. One with options declares kOptions and
  /// `static Result<P> FromOptions(const OptionMap&)`; any other must be
  /// default-constructible.
  template <DescribedPass P>
  Status Add() {
    PassEntry entry{.name = std::string(P::kName),
                    .help = std::string(P::kHelp),
                    .sketch = std::string(P::kSketch),
                    .options = {},
                    .make = nullptr};
    if constexpr (internal::HasOptions<P>) {
      const std::span<const PassOption> options(P::kOptions);
      entry.options.assign(options.begin(), options.end());
      entry.make = [](const OptionMap& values) -> Result<AnyPass> {
        ZEROPOINT_ASSIGN_OR_RETURN(P pass, P::FromOptions(values));
        return AnyPass(std::move(pass));
      };
    } else {
      static_assert(std::default_initializable<P>,
                    "zeropoint: a pass without kOptions and FromOptions must "
                    "be default-constructible");
      entry.make = [](const OptionMap&) -> Result<AnyPass> {
        return AnyPass(P());
      };
    }
    return Add(std::move(entry));
  }

  /// The pass of that name, or nullptr. Valid until the next Add.
  const PassEntry* Find(std::string_view name) const {
    const auto place =
        std::lower_bound(entries_.begin(), entries_.end(), name, NameLess);
    return place != entries_.end() && place->name == name ? &*place : nullptr;
  }

  /// All passes, by name.
  const std::vector<PassEntry>& entries() const { return entries_; }

 private:
  static bool NameLess(const PassEntry& entry, std::string_view name) {
    return entry.name < name;
  }
  static bool IsWellFormed(std::string_view name) {
    if (name.empty() || name.front() == '-' || name.back() == '-') return false;
    return name.find("--") == std::string_view::npos &&
           std::all_of(name.begin(), name.end(), [](char c) {
             return c == '-' || (c >= 'a' && c <= 'z') ||
                    (c >= '0' && c <= '9');
           });
  }

  std::vector<PassEntry> entries_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_PASS_REGISTRY_H_
