// The page of the HTML report, without its data: made by the build from
// report/page/ and the libraries that draw.
#ifndef ZEROPOINT_REPORT_REPORT_PAGE_H_
#define ZEROPOINT_REPORT_REPORT_PAGE_H_

#include <string_view>

namespace zeropoint {

/// What stands before and behind the document, which is JSON in a script
/// element.
extern const std::string_view kReportPageBefore;
extern const std::string_view kReportPageAfter;

}  // namespace zeropoint

#endif  // ZEROPOINT_REPORT_REPORT_PAGE_H_
