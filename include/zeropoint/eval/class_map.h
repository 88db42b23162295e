// ClassMap: from the classes that a model counts to the categories of a data
// set.
//
// Models number their classes 0, 1, 2, ...; COCO's ids have gaps, and some of
// its names are not those of the older data sets whose lists models still have.
#ifndef ZEROPOINT_EVAL_CLASS_MAP_H_
#define ZEROPOINT_EVAL_CLASS_MAP_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/nearest_names.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/coco.h"
#include "zeropoint/data/read_file.h"

namespace zeropoint {

/// Pascal VOC's and darknet's names for categories of COCO.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 6>
    kClassAliases = {{{"motorbike", "motorcycle"},
                      {"aeroplane", "airplane"},
                      {"sofa", "couch"},
                      {"pottedplant", "potted plant"},
                      {"diningtable", "dining table"},
                      {"tvmonitor", "tv"}}};

class ClassMap {
 public:
  /// Class i is the category with the i-th lowest id.
  static ClassMap InOrder(std::span<const CocoCategory> categories) {
    std::vector<std::int64_t> ids;
    for (const CocoCategory& category : categories) ids.push_back(category.id);
    std::ranges::sort(ids);
    ClassMap map;
    map.categories_.emplace(ids.begin(), ids.end());
    return map;
  }

  /// Classes are categories already.
  static ClassMap Same() { return ClassMap(); }

  /// Class i is called names[i]; it is the category of that name or, where
  /// there is none, of its alias. A class without a category (a background, or
  /// one that the data set does not have) is known and leads nowhere.
  ///
  /// Errors: kInvalidArgument when no name is a category.
  static Result<ClassMap> ByName(std::span<const std::string> names,
                                 std::span<const CocoCategory> categories) {
    std::map<std::string_view, std::int64_t> ids;
    for (const CocoCategory& category : categories) {
      ids.emplace(category.name, category.id);
    }
    ClassMap map;
    auto& classes = map.categories_.emplace();
    for (const std::string& name : names) {
      auto found = ids.find(name);
      for (const auto& [old_name, new_name] : kClassAliases) {
        if (found != ids.end()) break;
        if (name == old_name) found = ids.find(new_name);
        if (name == new_name) found = ids.find(old_name);
      }
      if (found == ids.end()) {
        map.unmatched_.push_back(name);
        classes.emplace_back();
      } else {
        classes.emplace_back(found->second);
      }
    }
    if (map.unmatched_.size() < names.size()) return map;
    std::vector<std::string> known;
    for (const auto& [name, id] : ids) known.emplace_back(name);
    const std::string first = names.empty() ? "" : names.front();
    return InvalidArgument("none of the " + std::to_string(names.size()) +
                           " classes, as of '" + first +
                           "', is a category of the annotations" +
                           NearestNames(first, known));
  }

  /// How many classes are known; nothing when every number is one.
  std::optional<std::size_t> size() const {
    if (!categories_) return std::nullopt;
    return categories_->size();
  }

  /// The names that are no category.
  const std::vector<std::string>& unmatched() const { return unmatched_; }

  /// The category of a class, if it has one. Errors: kInvalidData for a class
  /// that is not known.
  Result<std::optional<std::int64_t>> CategoryOf(
      std::int64_t class_index) const {
    if (!categories_) return std::optional(class_index);
    if (class_index < 0 ||
        std::cmp_greater_equal(class_index, categories_->size())) {
      return InvalidData("the model found class " +
                         std::to_string(class_index) + ", but " +
                         std::to_string(categories_->size()) +
                         " classes are known; name them all by a list of "
                         "classes");
    }
    return (*categories_)[static_cast<std::size_t>(class_index)];
  }

 private:
  ClassMap() = default;

  std::optional<std::vector<std::optional<std::int64_t>>> categories_;
  std::vector<std::string> unmatched_;
};

/// The names of a text file, one a line. Errors: ReadFile's.
inline Result<std::vector<std::string>> LoadClassNames(
    const std::string& path) {
  ZEROPOINT_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
  std::erase(text, '\r');
  text.erase(text.find_last_not_of('\n') + 1);
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    names.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_CLASS_MAP_H_
