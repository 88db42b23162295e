// OpenFeedSource: samples from what a user names.
#ifndef ZEROPOINT_DATA_FEED_SOURCE_H_
#define ZEROPOINT_DATA_FEED_SOURCE_H_

#include <charconv>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/input_description.h"
#include "zeropoint/data/npz_source.h"
#include "zeropoint/data/preprocess.h"
#include "zeropoint/data/synthetic.h"
#include "zeropoint/data/test_data_set.h"

namespace zeropoint {

struct FeedSourceOptions {
  /// The model's inputs, in its order.
  std::vector<InputDescription> inputs = {};
  /// A file of the form of preprocess.h; empty: values are fed as stored.
  std::string preprocess_file = {};
  /// Samples to leave out at the start, then how many to take at most.
  std::size_t skip = 0;
  std::optional<std::size_t> limit = {};
};

/// A source of samples for the inputs that `options` describes:
///
///   FILE.npz       arrays named after the inputs (npz_source.h)
///   FOLDER         of test_data_set_* (test_data_set.h)
///   synthetic:N    N made-up samples (synthetic.h)
///
/// Errors: kNotFound; kInvalidArgument for a name of none of these forms and
/// for a wrong preprocess file; kInvalidData and kUnsupported for data that do
/// not fit the inputs. Each message names the file and what to do.
inline Result<std::unique_ptr<FeedSource>> OpenFeedSource(
    const std::string& source, const FeedSourceOptions& options) {
  constexpr std::string_view kForms =
      "give a .npz, a folder of test_data_set_*, or synthetic:N";
  constexpr std::string_view kSynthetic = "synthetic:";
  if (source.starts_with(kSynthetic)) {
    const char* end = source.data() + source.size();
    std::size_t samples = 0;
    const auto [stop, error] =
        std::from_chars(source.data() + kSynthetic.size(), end, samples);
    if (error != std::errc() || stop != end || samples == 0) {
      return InvalidArgument("'" + source +
                             "' needs a number of samples, as synthetic:32");
    }
    if (!options.preprocess_file.empty()) {
      return InvalidArgument("'" + source +
                             "' makes the values that the model takes; leave "
                             "out --preprocess");
    }
    return SyntheticSource::Open(options.inputs, samples, options.skip,
                                 options.limit);
  }
  std::error_code failure;
  const auto found = std::filesystem::status(source, failure);
  if (!std::filesystem::exists(found)) {
    return NotFound("no data at '" + source + "'; " + std::string(kForms));
  }
  Preprocess steps;
  if (!options.preprocess_file.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        steps, LoadPreprocess(options.preprocess_file, options.inputs));
  }
  if (std::filesystem::is_directory(found)) {
    return TestDataSetSource::Open(source, options.inputs, std::move(steps),
                                   options.skip, options.limit);
  }
  if (std::filesystem::is_regular_file(found) && source.ends_with(".npz")) {
    return NpzSource::Open(source, options.inputs, std::move(steps),
                           options.skip, options.limit);
  }
  return InvalidArgument("'" + source + "' is not of a known form; " +
                         std::string(kForms));
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_FEED_SOURCE_H_
