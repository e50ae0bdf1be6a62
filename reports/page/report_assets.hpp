#pragma once

// The fixed texts of a report's page, from assets/ and from Debian's libjs-chart.js. The build
// turns them into code: cmake/embed_text.cmake.

#include <string_view>

namespace lockstep::reports {

std::string_view page_style();    // assets/report.css
std::string_view page_script();   // assets/report.js; needs chart_script()
std::string_view table_script();  // assets/tables.js
// Chart.js, minified; empty if the build found none or LOCKSTEP_REPORT_JS is off.
std::string_view chart_script();
std::string_view chart_license();  // assets/chart_js_license.txt

}  // namespace lockstep::reports
