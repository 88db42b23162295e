// The files that --report names.
#ifndef ZEROPOINT_TOOLS_ZEROPOINT_REPORT_FILE_H_
#define ZEROPOINT_TOOLS_ZEROPOINT_REPORT_FILE_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/report/json_report.h"

namespace zeropoint::cli {

/// --report, which may be given several times.
using ReportFiles = std::vector<std::string>;
void AddReportOption(CLI::App& command, ReportFiles& reports);

/// Whether one of them is a page, FILE.html.
bool WantPage(const ReportFiles& reports);

/// Writes `json`, or in a page what `page` returns; see FormatHtml.
Status WriteReports(const ReportFiles& reports, const Json& json,
                    const std::function<Result<Json>()>& page);

}  // namespace zeropoint::cli

#endif  // ZEROPOINT_TOOLS_ZEROPOINT_REPORT_FILE_H_
