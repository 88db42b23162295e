// NonMaxSuppression and TfIdfVectorizer: operators that pick or count.
#ifndef ZEROPOINT_EXEC_OPERATORS_SELECTION_H_
#define ZEROPOINT_EXEC_OPERATORS_SELECTION_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace selection {

/// For each batch and class, boxes in order of score, without those that
/// overlap a better one by more than iou_threshold (intersection over union):
/// rows [batch, class, box].
///
/// Inputs: boxes [batch, boxes, 4], scores [batch, classes, boxes], the most
/// boxes a class (0), iou_threshold (0), score_threshold.
class NonMaxSuppression final : public Operator {
 public:
  explicit NonMaxSuppression(const OperatorInit& init)
      : by_center_(GetInt(init.node, "center_point_box", 0) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto boxes, ReadReals(context, 0));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto scores, ReadReals(context, 1));
    const auto box_dims = context.input(0).dims();
    const auto score_dims = context.input(1).dims();
    if (box_dims.size() != 3 || score_dims.size() != 3 || box_dims[2] != 4 ||
        box_dims[0] != score_dims[0] || box_dims[1] != score_dims[2]) {
      return InvalidData("boxes of shape " + FormatDims(box_dims) +
                         " and scores of shape " + FormatDims(score_dims) +
                         "; expected [B, N, 4] and [B, C, N]");
    }
    double limits[3] = {0, 0, -std::numeric_limits<double>::infinity()};
    for (std::size_t i = 0; i < 3; ++i) {
      if (!context.has_input(i + 2)) continue;
      ZEROPOINT_ASSIGN_OR_RETURN(limits[i], ReadReal(context, i + 2));
    }
    const auto count = static_cast<std::size_t>(box_dims[1]);
    std::vector<std::int64_t> rows;
    for (std::int64_t b = 0; b < box_dims[0]; ++b) {
      std::vector<Box> corners(count);
      for (std::size_t i = 0; i < count; ++i) {
        corners[i] =
            Corners(&boxes[(static_cast<std::size_t>(b) * count + i) * 4]);
      }
      for (std::int64_t c = 0; c < score_dims[1]; ++c) {
        const double* score =
            scores.data() + (b * score_dims[1] + c) * box_dims[1];
        std::vector<std::size_t> order;
        for (std::size_t i = 0; i < count; ++i) {
          if (score[i] > limits[2]) order.push_back(i);
        }
        std::stable_sort(
            order.begin(), order.end(),
            [&](std::size_t i, std::size_t j) { return score[i] > score[j]; });
        std::vector<std::size_t> kept;
        for (const std::size_t i : order) {
          if (static_cast<double>(kept.size()) >= limits[0]) break;
          const bool overlaps =
              std::any_of(kept.begin(), kept.end(), [&](std::size_t j) {
                return Overlap(corners[i], corners[j]) > limits[1];
              });
          if (overlaps) continue;
          kept.push_back(i);
          rows.insert(rows.end(), {b, c, static_cast<std::int64_t>(i)});
        }
      }
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        std::int64_t * y,
        context.Output<std::int64_t>(0, {std::ssize(rows) / 3, 3}));
    std::copy(rows.begin(), rows.end(), y);
    return Status();
  }

 private:
  struct Box {
    double y0, x0, y1, x1;
  };

  // Any two opposite corners (y, x, y, x), or centre and size (x, y, w, h).
  Box Corners(const double* box) const {
    if (by_center_) {
      return {box[1] - box[3] / 2, box[0] - box[2] / 2, box[1] + box[3] / 2,
              box[0] + box[2] / 2};
    }
    return {std::min(box[0], box[2]), std::min(box[1], box[3]),
            std::max(box[0], box[2]), std::max(box[1], box[3])};
  }

  static double Overlap(const Box& a, const Box& b) {
    const double height = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
    const double width = std::min(a.x1, b.x1) - std::max(a.x0, b.x0);
    if (height <= 0 || width <= 0) return 0;
    const double both = height * width;
    return both / ((a.y1 - a.y0) * (a.x1 - a.x0) +
                   (b.y1 - b.y0) * (b.x1 - b.x0) - both);
  }

  bool by_center_;
};

/// How often each n-gram of a pool occurs in each row, as counts, as 0 and 1,
/// or weighted; the members of an n-gram may stand up to max_skip_count apart.
class TfIdfVectorizer final : public Operator {
 public:
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    auto op = std::make_unique<TfIdfVectorizer>();
    const auto& node = init.node;
    op->longest_ = GetInt(node, "max_gram_length", 1);
    op->shortest_ = GetInt(node, "min_gram_length", 1);
    op->skips_ = GetInt(node, "max_skip_count", 0);
    op->mode_ = GetString(node, "mode", "TF");
    op->pool_ = GetInts(node, "pool_int64s");
    op->places_ = GetInts(node, "ngram_indexes");
    op->weights_ = GetFloats(node, "weights");
    const auto starts = GetInts(node, "ngram_counts");
    if (op->pool_.empty()) {
      return Unsupported("n-grams of strings: the executor computes numbers");
    }
    // The n-grams: where each begins in the pool, and how long it is.
    for (std::size_t n = 0; n < starts.size(); ++n) {
      const std::int64_t end =
          n + 1 < starts.size() ? starts[n + 1] : std::ssize(op->pool_);
      if (starts[n] < 0 || end > std::ssize(op->pool_)) {
        return InvalidModel("ngram_counts lie outside the pool");
      }
      const auto length = static_cast<std::int64_t>(n) + 1;
      for (std::int64_t at = starts[n]; at + length <= end; at += length) {
        op->grams_.push_back({at, length});
      }
    }
    constexpr std::int64_t kMost = 1 << 24;
    for (const std::int64_t place : op->places_) {
      if (place < 0 || place > kMost) {
        return InvalidModel("an n-gram index outside [0, 2^24]");
      }
      op->columns_ = std::max(op->columns_, place + 1);
    }
    if (op->grams_.size() > op->places_.size()) {
      return InvalidModel("ngram_indexes needs an index for each n-gram");
    }
    return std::unique_ptr<Operator>(std::move(op));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadIntegers(context, 0));
    const auto dims = context.input(0).dims();
    if (dims.empty() || dims.size() > 2) {
      return InvalidData("TfIdfVectorizer needs one or two axes");
    }
    const std::int64_t size = dims.back();
    const std::int64_t rows = dims.size() == 2 ? dims[0] : 1;
    Dims out = {columns_};
    if (dims.size() == 2) out.insert(out.begin(), rows);
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(out));
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::size_t g = 0; g < grams_.size(); ++g) {
        if (grams_[g].length < shortest_ || grams_[g].length > longest_) {
          continue;
        }
        const double count = Count(x.data() + row * size, size, grams_[g]);
        double& to = y[static_cast<std::size_t>(row * columns_ + places_[g])];
        const double weight =
            g < weights_.size() ? static_cast<double>(weights_[g]) : 1.0;
        to = mode_ == "TF"    ? count
             : mode_ == "IDF" ? (count > 0 ? weight : 0)
                              : count * weight;
      }
    }
    return WriteReals(context, 0, DataType::kFloat, out, y);
  }

 private:
  struct Gram {
    std::int64_t at;
    std::int64_t length;
  };

  double Count(const std::int64_t* row, std::int64_t size,
               const Gram& gram) const {
    double count = 0;
    // A single element has no members to stand apart.
    const std::int64_t most = gram.length == 1 ? 0 : std::min(skips_, size);
    for (std::int64_t apart = 1; apart <= most + 1; ++apart) {
      for (std::int64_t i = 0; i + (gram.length - 1) * apart < size; ++i) {
        bool equal = true;
        for (std::int64_t k = 0; equal && k < gram.length; ++k) {
          equal = row[i + k * apart] ==
                  pool_[static_cast<std::size_t>(gram.at + k)];
        }
        count += equal ? 1 : 0;
      }
    }
    return count;
  }

  std::int64_t longest_ = 1;
  std::int64_t shortest_ = 1;
  std::int64_t skips_ = 0;
  std::string mode_;
  std::vector<std::int64_t> pool_;
  std::vector<std::int64_t> places_;
  std::vector<float> weights_;
  std::vector<Gram> grams_;
  std::int64_t columns_ = 0;
};

}  // namespace selection

inline void AddSelectionOperators(OperatorRegistry& registry) {
  using namespace selection;  // NOLINT(google-build-using-namespace)
  registry.Add("", "NonMaxSuppression", {}, Construct<NonMaxSuppression>);
  registry.Add("", "TfIdfVectorizer", {}, TfIdfVectorizer::Make);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_SELECTION_H_
