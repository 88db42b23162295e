// Reports as text, for people at a terminal.
#ifndef ZEROPOINT_REPORT_TEXT_REPORT_H_
#define ZEROPOINT_REPORT_TEXT_REPORT_H_

#include <string>

#include "zeropoint/flow/compare.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/quantization_report.h"

namespace zeropoint {

/// A line for each thing that calibration found and its reader should know.
std::string FindingsToText(const CalibrationFindings& findings);

/// What was quantized, and what stayed float with the reasons, grouped: one
/// line for each operator type and reason.
std::string QuantizationToText(const QuantizationReport& report);

/// What a conversion reached, and what it left as it was, grouped likewise.
std::string ConversionToText(const QuantizationReport& report);

/// The outputs, the layers that lost most, and the accuracy where the samples
/// are labelled.
std::string ComparisonToText(const ComparisonReport& report);

/// A few lines on the model as a whole, then one line a node.
std::string DescriptionToText(const ModelDescription& model);

}  // namespace zeropoint

#endif  // ZEROPOINT_REPORT_TEXT_REPORT_H_
