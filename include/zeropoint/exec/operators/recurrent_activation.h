// Activation: the functions that gates of recurrent networks may name.
#ifndef ZEROPOINT_EXEC_OPERATORS_RECURRENT_ACTIVATION_H_
#define ZEROPOINT_EXEC_OPERATORS_RECURRENT_ACTIVATION_H_

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>

#include "zeropoint/core/status.h"

namespace zeropoint::recurrent {

/// f(x) with the constants alpha and beta.
struct Activation {
  double (*function)(double x, double alpha, double beta) = nullptr;
  double alpha = 0;
  double beta = 0;
  double operator()(double x) const { return function(x, alpha, beta); }
};

inline Result<Activation> FindActivation(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  using F = double (*)(double, double, double);
  struct Entry {
    const char* name;
    F function;
    double alpha;
    double beta;
  };
  static constexpr Entry kEntries[] = {
      {"sigmoid",
       [](double x, double, double) { return 1 / (1 + std::exp(-x)); }, 0, 0},
      {"tanh", [](double x, double, double) { return std::tanh(x); }, 0, 0},
      {"relu", [](double x, double, double) { return std::max(x, 0.0); }, 0, 0},
      {"affine", [](double x, double a, double b) { return a * x + b; }, 1, 0},
      {"leakyrelu",
       [](double x, double a, double) { return x < 0 ? a * x : x; }, 0.01, 0},
      {"thresholdedrelu",
       [](double x, double a, double) { return x > a ? x : 0; }, 1, 0},
      {"scaledtanh",
       [](double x, double a, double b) { return a * std::tanh(b * x); }, 1, 1},
      {"hardsigmoid",
       [](double x, double a, double b) {
         return std::clamp(a * x + b, 0.0, 1.0);
       },
       0.2, 0.5},
      {"elu",
       [](double x, double a, double) {
         return x < 0 ? a * (std::exp(x) - 1) : x;
       },
       1, 0},
      {"softsign",
       [](double x, double, double) { return x / (1 + std::abs(x)); }, 0, 0},
      {"softplus",
       [](double x, double, double) { return std::log1p(std::exp(x)); }, 0, 0},
  };
  for (const Entry& entry : kEntries) {
    if (name == entry.name) {
      return Activation{entry.function, entry.alpha, entry.beta};
    }
  }
  return InvalidModel("activation '" + name + "' is unknown");
}

}  // namespace zeropoint::recurrent

#endif  // ZEROPOINT_EXEC_OPERATORS_RECURRENT_ACTIVATION_H_
