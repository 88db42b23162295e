// DFT, STFT and MelWeightMatrix: what networks that hear begin with.
#ifndef ZEROPOINT_EXEC_OPERATORS_SIGNAL_H_
#define ZEROPOINT_EXEC_OPERATORS_SIGNAL_H_

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace signal {

using Complex = std::complex<double>;

/// X[k] = sum of x[n] exp(-2 pi i k n / N), N = x.size(), by the definition;
/// the inverse has the other sign and divides by N.
inline std::vector<Complex> Transform(std::span<const Complex> x,
                                      bool inverse) {
  const std::size_t n = x.size();
  std::vector<Complex> roots(n);
  for (std::size_t k = 0; k < n; ++k) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) /
                         static_cast<double>(n) * (inverse ? 1 : -1);
    roots[k] = {std::cos(angle), std::sin(angle)};
  }
  std::vector<Complex> y(n);
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t i = 0; i < n; ++i) y[k] += x[i] * roots[k * i % n];
    if (inverse) y[k] /= static_cast<double>(n);
  }
  return y;
}

/// Longer signals would need sums that nobody has asked for yet.
inline constexpr std::int64_t kMostSamples = 1 << 20;

/// The transform along an axis of [batch..., axis..., 1 or 2], where the last
/// axis holds the real and, if there is one, the imaginary part. `onesided`
/// keeps the first N / 2 + 1 frequencies; its inverse makes a real signal of
/// them.
class Dft final : public Operator {
 public:
  explicit Dft(const OperatorInit& init)
      : inverse_(GetInt(init.node, "inverse", 0) != 0),
        onesided_(GetInt(init.node, "onesided", 0) != 0),
        by_input_(init.opset >= 20),
        axis_(GetInt(init.node, "axis", 1)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    const auto in_dims = context.input(0).dims();
    if (in_dims.size() < 2 || in_dims.back() < 1 || in_dims.back() > 2) {
      return InvalidData("DFT needs a last axis of 1 or 2, not " +
                         FormatDims(in_dims));
    }
    std::int64_t signed_axis = by_input_ ? -2 : axis_;
    if (by_input_ && context.has_input(2)) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto given, ReadIntegers(context, 2));
      if (given.size() != 1) return InvalidData("the axis must be one number");
      signed_axis = given[0];
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(signed_axis, in_dims.size()));
    if (axis + 1 == in_dims.size()) {
      return InvalidModel("the last axis holds complex numbers");
    }
    const bool to_real = inverse_ && onesided_;
    std::int64_t length = to_real ? 2 * (in_dims[axis] - 1) : in_dims[axis];
    if (context.has_input(1)) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto given, ReadIntegers(context, 1));
      if (given.size() != 1) return InvalidData("the length is one number");
      length = given[0];
    }
    if (length < 1 || length > kMostSamples) {
      return InvalidData("a transform of length " + std::to_string(length));
    }
    const auto n = static_cast<std::size_t>(length);
    const std::size_t kept = onesided_ && !inverse_ ? n / 2 + 1 : n;
    Dims dims = ToDims(in_dims);
    dims[axis] = static_cast<std::int64_t>(kept);
    dims.back() = to_real ? 1 : 2;
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(dims));
    const auto parts = static_cast<std::size_t>(in_dims.back());
    const auto out_parts = static_cast<std::size_t>(dims.back());
    const AroundAxis from(in_dims, axis);
    const std::size_t inner = from.inner / parts;
    std::vector<Complex> row(n);
    for (std::size_t i = 0; i < from.outer * inner; ++i) {
      const std::size_t outer = i / inner;
      std::fill(row.begin(), row.end(), Complex());
      for (std::size_t k = 0; k < std::min(n, from.size); ++k) {
        const double* at =
            &x[((outer * from.size + k) * inner + i % inner) * parts];
        row[k] = {at[0], parts == 2 ? at[1] : 0};
      }
      if (to_real) {
        for (std::size_t k = n / 2 + 1; k < n; ++k) {
          row[k] = std::conj(row[n - k]);
        }
      }
      const auto result = Transform(row, inverse_);
      for (std::size_t k = 0; k < kept; ++k) {
        double* at = &y[((outer * kept + k) * inner + i % inner) * out_parts];
        at[0] = result[k].real();
        if (out_parts == 2) at[1] = result[k].imag();
      }
    }
    return WriteReals(context, 0, context.input(0).type(), dims, y);
  }

 private:
  bool inverse_;
  bool onesided_;
  bool by_input_;
  std::int64_t axis_;
};

/// The transforms of frames that start `frame_step` apart, each multiplied by
/// the window: [batch, samples, 1 or 2] to [batch, frames, frequencies, 2].
class Stft final : public Operator {
 public:
  explicit Stft(const OperatorInit& init)
      : onesided_(GetInt(init.node, "onesided", 1) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto step, ReadIntegers(context, 1));
    const auto in_dims = context.input(0).dims();
    std::vector<double> window;
    std::int64_t length = 0;
    if (context.has_input(2)) {
      ZEROPOINT_ASSIGN_OR_RETURN(window, ReadReals(context, 2));
      length = std::ssize(window);
    }
    if (context.has_input(3)) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto given, ReadIntegers(context, 3));
      if (given.size() == 1) length = given[0];
    }
    if (window.empty() && length > 0 && length <= kMostSamples) {
      window.assign(static_cast<std::size_t>(length), 1.0);
    }
    if (in_dims.size() < 2 || in_dims.size() > 3 || step.size() != 1 ||
        step[0] < 1 || length < 1 || length > in_dims[1] ||
        length > kMostSamples || std::ssize(window) != length ||
        (in_dims.size() == 3 && (in_dims[2] < 1 || in_dims[2] > 2))) {
      return InvalidData(
          "STFT needs a signal [batch, samples, 1 or 2], a step "
          "above 0 and a frame no longer than the signal");
    }
    const std::size_t parts =
        in_dims.size() == 3 ? static_cast<std::size_t>(in_dims[2]) : 1;
    const auto n = static_cast<std::size_t>(length);
    const std::int64_t frames = (in_dims[1] - length) / step[0] + 1;
    const std::size_t kept = onesided_ ? n / 2 + 1 : n;
    const Dims dims = {in_dims[0], frames, static_cast<std::int64_t>(kept), 2};
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(dims));
    std::vector<Complex> row(n);
    double* to = y.data();
    for (std::int64_t i = 0; i < in_dims[0] * frames; ++i) {
      const std::int64_t start = i / frames * in_dims[1] + i % frames * step[0];
      for (std::size_t k = 0; k < n; ++k) {
        const double* at = &x[(static_cast<std::size_t>(start) + k) * parts];
        row[k] = window[k] * Complex(at[0], parts == 2 ? at[1] : 0);
      }
      const auto result = Transform(row, false);
      for (std::size_t k = 0; k < kept; ++k) {
        *to++ = result[k].real();
        *to++ = result[k].imag();
      }
    }
    return WriteReals(context, 0, context.input(0).type(), dims, y);
  }

 private:
  bool onesided_;
};

/// The weights that turn a spectrum into one of `bins` triangles, evenly spread
/// over the mel scale 2595 log10(1 + f / 700): [dft_length / 2 + 1, bins].
class MelWeightMatrix final : public Operator {
 public:
  explicit MelWeightMatrix(const OperatorInit& init)
      : type_(static_cast<DataType>(GetInt(init.node, "output_datatype", 1))) {}

  Status Run(OpContext& context) override {
    double values[5];
    for (std::size_t i = 0; i < 5; ++i) {
      ZEROPOINT_ASSIGN_OR_RETURN(values[i], ReadReal(context, i));
    }
    const auto [bins_real, length, rate, low, high] = values;
    if (!(bins_real >= 1 && bins_real <= kMostSamples && length >= 1 &&
          length <= kMostSamples && rate > 0 && low >= 0 && high > low)) {
      return InvalidData("the bins, length, rate or frequencies make no scale");
    }
    const auto mel = [](double f) { return 2595 * std::log10(1 + f / 700); };
    const auto bins = static_cast<std::size_t>(bins_real);
    std::vector<std::int64_t> edges(bins + 2);
    for (std::size_t i = 0; i < edges.size(); ++i) {
      const double at = mel(low) + static_cast<double>(i) *
                                       (mel(high) - mel(low)) /
                                       static_cast<double>(bins + 2);
      const double frequency = 700 * (std::pow(10, at / 2595) - 1);
      edges[i] = ConvertElement<std::int64_t>(
          std::floor((length + 1) * frequency / rate));
    }
    const std::int64_t rows = static_cast<std::int64_t>(length) / 2 + 1;
    const Dims dims = {rows, static_cast<std::int64_t>(bins)};
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(dims));
    for (std::size_t b = 0; b < bins; ++b) {
      const std::int64_t begin = edges[b];
      const std::int64_t middle = edges[b + 1];
      const std::int64_t end = edges[b + 2];
      const auto set = [&](std::int64_t row, double weight) {
        if (row < 0 || row >= rows) return;
        y[static_cast<std::size_t>(row) * bins + b] = weight;
      };
      if (middle == begin) set(middle, 1);
      for (std::int64_t j = begin; j <= middle && middle > begin; ++j) {
        set(j, static_cast<double>(j - begin) /
                   static_cast<double>(middle - begin));
      }
      for (std::int64_t j = middle; j < end; ++j) {
        set(j,
            static_cast<double>(end - j) / static_cast<double>(end - middle));
      }
    }
    return WriteReals(context, 0, type_, dims, y);
  }

 private:
  DataType type_;
};

}  // namespace signal

inline void AddSignalOperators(OperatorRegistry& registry) {
  using namespace signal;  // NOLINT(google-build-using-namespace)
  registry.Add("", "DFT", {}, Construct<Dft>);
  registry.Add("", "MelWeightMatrix", {}, Construct<MelWeightMatrix>);
  registry.Add("", "STFT", {}, Construct<Stft>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_SIGNAL_H_
