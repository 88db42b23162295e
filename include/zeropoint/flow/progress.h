// ProgressHook: how a long flow says how far it is.
#ifndef ZEROPOINT_FLOW_PROGRESS_H_
#define ZEROPOINT_FLOW_PROGRESS_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

namespace zeropoint {

/// Called after each sample: what is being done, samples done, and how many
/// there are in all when that is known. May be empty.
using ProgressHook = std::function<void(std::string_view what, std::size_t done,
                                        std::optional<std::size_t> total)>;

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_PROGRESS_H_
