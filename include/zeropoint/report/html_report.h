// Reports as one HTML file that needs no network: data, drawing and libraries.
#ifndef ZEROPOINT_REPORT_HTML_REPORT_H_
#define ZEROPOINT_REPORT_HTML_REPORT_H_

#include <string>

#include "zeropoint/flow/quantization_details.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/report/json_report.h"

namespace zeropoint {

/// The page that shows `document`:
///
///   title, subtitle, quantization (QuantizationToJson), comparison
///   (ComparisonToJson), and what DetailsToJson has
///
/// Parts that are not there are not shown.
std::string FormatHtml(const Json& document);

/// graph[{name, op, inputs[], outputs[]}], histograms{tensor: {lo, hi,
/// counts[], seen[2], clipped}}, weights[{name, node, type, dims[],
/// codes{lo, width, counts[]}, saturated, scales{count, lo, hi, of_each,
/// greatest[]}}]
///
/// Histograms have at most 64 bins, and lists of scales 256 entries, each the
/// greatest of `of_each` neighbours: a page of 2,000 tensors stays small.
/// `clipped` is the share of values outside the range in `report`.
Json DetailsToJson(const QuantizationDetails& details,
                   const QuantizationReport& report);

}  // namespace zeropoint

#endif  // ZEROPOINT_REPORT_HTML_REPORT_H_
