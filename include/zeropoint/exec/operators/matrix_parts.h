// Trilu, EyeLike, Det and Einsum: operators on matrices that are no products,
// and the product that all others are cases of.
#ifndef ZEROPOINT_EXEC_OPERATORS_MATRIX_PARTS_H_
#define ZEROPOINT_EXEC_OPERATORS_MATRIX_PARTS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace matrix_parts {

/// x with zeros below the diagonal k (upper) or above it.
class Trilu final : public Operator {
 public:
  explicit Trilu(const OperatorInit& init)
      : upper_(GetInt(init.node, "upper", 1) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    if (x.rank() < 2) return InvalidData("Trilu needs matrices");
    std::int64_t diagonal = 0;
    if (context.has_input(1)) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto k, ReadIntegers(context, 1));
      if (k.size() != 1) return InvalidData("k must be one number");
      constexpr std::int64_t kFar = std::int64_t{1} << 40;
      diagonal = std::clamp(k[0], -kFar, kFar);
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width,
                               data_movement::ElementWidth(x));
    ZEROPOINT_ASSIGN_OR_RETURN(void* out,
                               context.Output(0, x.type(), ToDims(x.dims())));
    auto* y = static_cast<std::byte*>(out);
    const std::int64_t rows = x.dims()[x.rank() - 2];
    const std::int64_t columns = x.dims()[x.rank() - 1];
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      const std::int64_t row = at / columns % rows;
      const std::int64_t offset = at % columns - row;
      const bool keeps = upper_ ? offset >= diagonal : offset <= diagonal;
      if (keeps) {
        std::memcpy(y + i * width, data_movement::Bytes(x) + i * width, width);
      } else {
        std::memset(y + i * width, 0, width);
      }
    }
    return Status();
  }

 private:
  bool upper_;
};

/// A matrix of x's shape with ones along the diagonal k.
class EyeLike final : public Operator {
 public:
  explicit EyeLike(const OperatorInit& init)
      : type_(static_cast<DataType>(GetInt(init.node, "dtype", 0))),
        k_(GetInt(init.node, "k", 0)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    if (x.rank() != 2) return InvalidData("EyeLike needs a matrix");
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(x.dims()));
    for (std::int64_t row = 0; row < x.dims()[0]; ++row) {
      const std::int64_t column =
          row + std::clamp(k_, -x.dims()[0], x.dims()[1]);
      if (column < 0 || column >= x.dims()[1]) continue;
      y[static_cast<std::size_t>(row * x.dims()[1] + column)] = 1;
    }
    return WriteReals(context, 0,
                      type_ == DataType::kUndefined ? x.type() : type_,
                      ToDims(x.dims()), y);
  }

 private:
  DataType type_;
  std::int64_t k_;
};

/// The determinant of the n x n matrix at `m`, which is overwritten: the
/// product of the pivots of Gauss's elimination.
inline double Determinant(double* m, std::size_t n) {
  double determinant = 1;
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < n; ++row) {
      if (std::abs(m[row * n + column]) > std::abs(m[pivot * n + column])) {
        pivot = row;
      }
    }
    if (m[pivot * n + column] == 0) return 0;
    if (pivot != column) {
      std::swap_ranges(m + pivot * n, m + (pivot + 1) * n, m + column * n);
      determinant = -determinant;
    }
    determinant *= m[column * n + column];
    for (std::size_t row = column + 1; row < n; ++row) {
      const double factor = m[row * n + column] / m[column * n + column];
      for (std::size_t k = column; k < n; ++k) {
        m[row * n + k] -= factor * m[column * n + k];
      }
    }
  }
  return determinant;
}

/// [*, n, n] to [*].
inline Status RunDet(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(auto x, ReadReals(context, 0));
  const auto dims = context.input(0).dims();
  if (dims.size() < 2 || dims[dims.size() - 1] != dims[dims.size() - 2]) {
    return InvalidData("a determinant needs square matrices");
  }
  const auto n = static_cast<std::size_t>(dims.back());
  const auto outer = dims.first(dims.size() - 2);
  std::vector<double> y(CountOf(outer));
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = Determinant(x.data() + i * n * n, n);
  }
  return WriteReals(context, 0, context.input(0).type(), ToDims(outer), y);
}

/// "ij,jk->ik" says: y[i, k] = sum over j of a[i, j] b[j, k]. A letter names an
/// axis, "..." the axes that broadcast; without "->" the output has the letters
/// that occur once, in the order of the alphabet.
class Einsum final : public Operator {
 public:
  explicit Einsum(const OperatorInit& init)
      : equation_(GetString(init.node, "equation", "")) {
    std::erase(equation_, ' ');
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const Terms terms, Parse(context));
    // Axes: those of the output first, then the ones summed over.
    std::string axes = terms.output;
    for (const auto& [label, size] : terms.sizes) {
      if (axes.find(label) == std::string::npos) axes += label;
    }
    Dims dims;
    Dims all;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      all.push_back(terms.sizes.at(axes[i]));
      if (i < terms.output.size()) dims.push_back(all.back());
    }
    const auto count = ElementCount(all);
    if (!count) return InvalidData("the axes of the equation are too large");
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(dims));
    std::vector<std::vector<double>> x;
    std::vector<std::vector<std::ptrdiff_t>> strides;
    for (std::size_t k = 0; k < terms.inputs.size(); ++k) {
      ZEROPOINT_ASSIGN_OR_RETURN(auto values, ReadReals(context, k));
      x.push_back(std::move(values));
      const auto own = RowMajorStrides(context.input(k).dims());
      auto& stride = strides.emplace_back(axes.size(), 0);
      for (std::size_t i = 0; i < own.size(); ++i) {
        // A label that occurs twice in a term walks the diagonal.
        if (context.input(k).dims()[i] != 1) {
          stride[axes.find(terms.inputs[k][i])] += own[i];
        }
      }
    }
    const std::size_t summed = *count / std::max<std::size_t>(1, y.size());
    std::vector<std::int64_t> index(all.size());
    for (std::size_t i = 0; i < *count; ++i) {
      double product = 1;
      for (std::size_t k = 0; k < x.size(); ++k) {
        std::ptrdiff_t at = 0;
        for (std::size_t a = 0; a < axes.size(); ++a) {
          at += index[a] * strides[k][a];
        }
        product *= x[k][static_cast<std::size_t>(at)];
      }
      y[i / summed] += product;
      NextIndex(all, index);
    }
    return WriteReals(context, 0, context.input(0).type(), dims, y);
  }

 private:
  struct Terms {
    std::vector<std::string> inputs;  // a label an axis
    std::string output;
    std::map<char, std::int64_t> sizes;
  };

  // The axes of "..." are labelled with digits from the last one on.
  static Result<std::string> Expand(const std::string& term, std::size_t rank,
                                    std::size_t& dots) {
    const std::size_t at = term.find("...");
    if (at == std::string::npos) return term;
    const std::size_t letters = term.size() - 3;
    constexpr std::size_t kMostDots = 10;
    if (rank < letters || rank - letters > kMostDots) {
      return InvalidData("term '" + term + "' does not fit rank " +
                         std::to_string(rank));
    }
    std::string labels;
    for (std::size_t i = rank - letters; i-- > 0;) {
      labels += static_cast<char>('0' + static_cast<int>(i));
    }
    dots = std::max(dots, labels.size());
    return term.substr(0, at) + labels + term.substr(at + 3);
  }

  Result<Terms> Parse(const OpContext& context) const {
    Terms terms;
    const std::size_t arrow = equation_.find("->");
    const std::string left = equation_.substr(0, arrow);
    std::size_t dots = 0;
    std::size_t begin = 0;
    for (std::size_t k = 0; k < context.input_count(); ++k) {
      if (begin > left.size() || !context.has_input(k)) {
        return InvalidModel("equation '" + equation_ +
                            "' does not have a term for each input");
      }
      const std::size_t end = std::min(left.find(',', begin), left.size());
      ZEROPOINT_ASSIGN_OR_RETURN(std::string labels,
                                 Expand(left.substr(begin, end - begin),
                                        context.input(k).rank(), dots));
      begin = end + 1;
      if (labels.size() != context.input(k).rank()) {
        return InvalidData("term " + std::to_string(k) + " of equation '" +
                           equation_ + "' does not fit shape " +
                           FormatDims(context.input(k).dims()));
      }
      for (std::size_t i = 0; i < labels.size(); ++i) {
        const std::int64_t size = context.input(k).dims()[i];
        auto [entry, is_new] = terms.sizes.emplace(labels[i], size);
        if (!is_new && entry->second == 1) entry->second = size;
        if (size != 1 && entry->second != size) {
          return InvalidData("axis '" + std::string(1, labels[i]) +
                             "' of equation '" + equation_ + "' has sizes " +
                             std::to_string(entry->second) + " and " +
                             std::to_string(size));
        }
      }
      terms.inputs.push_back(std::move(labels));
    }
    if (begin <= left.size()) {
      return InvalidModel("equation '" + equation_ + "' has too many terms");
    }
    if (arrow != std::string::npos) {
      const std::string right = equation_.substr(arrow + 2);
      const bool has_dots = right.find("...") != std::string::npos;
      const std::size_t rank =
          has_dots ? right.size() - 3 + dots : right.size();
      ZEROPOINT_ASSIGN_OR_RETURN(terms.output, Expand(right, rank, dots));
    } else {
      for (std::size_t i = dots; i-- > 0;) {
        terms.output += static_cast<char>('0' + static_cast<int>(i));
      }
      for (const auto& [label, size] : terms.sizes) {
        const auto times = std::count(left.begin(), left.end(), label);
        if (times == 1 && (label < '0' || label > '9')) terms.output += label;
      }
    }
    for (std::size_t i = 0; i < terms.output.size(); ++i) {
      if (terms.sizes.count(terms.output[i]) == 0 ||
          terms.output.find(terms.output[i]) != i) {
        return InvalidModel("the output of equation '" + equation_ +
                            "' has an axis that no term has, or twice");
      }
    }
    return terms;
  }

  std::string equation_;
};

}  // namespace matrix_parts

inline void AddMatrixPartsOperators(OperatorRegistry& registry) {
  using namespace matrix_parts;  // NOLINT(google-build-using-namespace)
  registry.Add("", "Det", {}, Stateless<RunDet>);
  registry.Add("", "Einsum", {}, Construct<Einsum>);
  registry.Add("", "EyeLike", {}, Construct<EyeLike>);
  registry.Add("", "Trilu", {}, Construct<Trilu>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_MATRIX_PARTS_H_
