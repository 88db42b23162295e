// NearestNames: what a misspelt name was probably meant to be.
#ifndef ZEROPOINT_CORE_NEAREST_NAMES_H_
#define ZEROPOINT_CORE_NEAREST_NAMES_H_

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zeropoint {

/// The least number of characters to insert, delete or replace that turns `a`
/// into `b`; `limit` when it is that many or more.
///
/// Cost: O(|a| * |b|).   Source: the Levenshtein distance.
inline std::size_t EditDistance(std::string_view a, std::string_view b,
                                std::size_t limit) {
  const std::size_t least =
      a.size() < b.size() ? b.size() - a.size() : a.size() - b.size();
  if (least >= limit) return limit;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    std::size_t best = row[0];
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
      best = std::min(best, row[j + 1]);
    }
    if (best >= limit) return limit;
  }
  return std::min(row.back(), limit);
}

/// Up to three of `names` that are nearest to `wanted`, the nearest first, ties
/// in the order given, as the end of a message: "; nearest: 'conv1', 'conv2'".
/// Empty when none has anything in common with it.
inline std::string NearestNames(std::string_view wanted,
                                const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 3;
  // A name of a hostile model may be megabytes long; a typed one is not.
  constexpr std::size_t kLongest = 512;
  if (wanted.size() > kLongest) return "";
  std::vector<std::pair<std::size_t, std::string_view>> nearest;
  for (const std::string& name : names) {
    const std::size_t limit =
        nearest.size() < kMost ? wanted.size() : nearest.back().first;
    const std::size_t distance = EditDistance(wanted, name, limit);
    if (name.empty() || distance >= limit) continue;
    const auto place = std::upper_bound(
        nearest.begin(), nearest.end(), distance,
        [](std::size_t value, const auto& each) { return value < each.first; });
    nearest.emplace(place, distance, name);
    if (nearest.size() > kMost) nearest.pop_back();
  }
  std::string text;
  for (const auto& [distance, name] : nearest) {
    text += text.empty() ? "; nearest: '" : ", '";
    text += std::string(name) + "'";
  }
  return text;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_NEAREST_NAMES_H_
