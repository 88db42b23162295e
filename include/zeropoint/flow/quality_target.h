// QualityTarget: how good a quantized model must be.
#ifndef ZEROPOINT_FLOW_QUALITY_TARGET_H_
#define ZEROPOINT_FLOW_QUALITY_TARGET_H_

#include <charconv>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

enum class QualityMeasure : std::uint8_t {
  kSqnr,       // of the outputs, in dB: the mean over held-out samples
  kAgreement,  // with the float model: see AgreementOf
  kMetric,     // what `metric` says; more is better
};

struct QualityTarget {
  QualityMeasure measure = QualityMeasure::kSqnr;
  double least = 0.0;
  /// Of kMetric: scores a quantized model. Its errors end the quantization.
  std::function<Result<double>(const Model& quantized)> metric = {};
};

/// Reads "sqnr:25", "agreement:0.99" or "metric:0.71:COMMAND". The command is
/// put into `command`; it is the caller's to run.
/// Errors: kInvalidArgument, with what is expected.
inline Result<QualityTarget> ParseQualityTarget(std::string_view text,
                                                std::string& command) {
  const auto wrong = [&] {
    return InvalidArgument("target '" + std::string(text) +
                           "': expected sqnr:DECIBEL, agreement:SHARE (0 to "
                           "1) or metric:LEAST:COMMAND");
  };
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return wrong();
  const std::string_view measure = text.substr(0, colon);
  std::string_view least = text.substr(colon + 1);
  QualityTarget target;
  command.clear();
  if (measure == "metric") {
    target.measure = QualityMeasure::kMetric;
    const std::size_t second = least.find(':');
    if (second == std::string_view::npos) return wrong();
    command = least.substr(second + 1);
    least = least.substr(0, second);
    if (command.empty()) return wrong();
  } else if (measure == "agreement") {
    target.measure = QualityMeasure::kAgreement;
  } else if (measure != "sqnr") {
    return wrong();
  }
  const auto [end, error] =
      std::from_chars(least.data(), least.data() + least.size(), target.least);
  if (error != std::errc() || end != least.data() + least.size()) {
    return wrong();
  }
  if (target.measure == QualityMeasure::kAgreement &&
      (target.least < 0.0 || target.least > 1.0)) {
    return wrong();
  }
  return target;
}

inline std::string_view MeasureName(QualityMeasure measure) {
  switch (measure) {
    case QualityMeasure::kSqnr:
      return "sqnr";
    case QualityMeasure::kAgreement:
      return "agreement";
    case QualityMeasure::kMetric:
      return "metric";
  }
  return "";
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_QUALITY_TARGET_H_
