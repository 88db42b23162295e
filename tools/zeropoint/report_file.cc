#include "tools/zeropoint/report_file.h"

#include <algorithm>
#include <functional>
#include <string>

#include "zeropoint/core/atomic_file.h"
#include "zeropoint/core/status.h"
#include "zeropoint/report/html_report.h"
#include "zeropoint/report/json_report.h"

namespace zeropoint::cli {
namespace {

bool IsPage(const std::string& report) { return report.ends_with(".html"); }

}  // namespace

void AddReportOption(CLI::App& command, ReportFiles& reports) {
  command
      .add_option("--report", reports,
                  "write what was done to FILE.json, or, to look at, "
                  "FILE.html; may be given twice")
      ->allow_extra_args(false);
}

bool WantPage(const ReportFiles& reports) {
  return std::any_of(reports.begin(), reports.end(), IsPage);
}

Status WriteReports(const ReportFiles& reports, const Json& json,
                    const std::function<Result<Json>()>& page) {
  for (const std::string& report : reports) {
    if (!IsPage(report)) {
      ZEROPOINT_RETURN_IF_ERROR(
          WriteFileAtomically(report, FormatJson(json, 1) + "\n"));
      continue;
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const Json document, page());
    ZEROPOINT_RETURN_IF_ERROR(
        WriteFileAtomically(report, FormatHtml(document)));
  }
  return Status();
}

}  // namespace zeropoint::cli
