// Reports as JSON. The keys are an interface: scripts read them.
#ifndef ZEROPOINT_REPORT_JSON_REPORT_H_
#define ZEROPOINT_REPORT_JSON_REPORT_H_

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/flow/quantization_report.h"

namespace zeropoint {

/// Keeps keys in the order in which they are written.
using Json = nlohmann::ordered_json;

/// The text of a document. Names in a model are untrusted bytes: what is no
/// UTF-8 is replaced.
inline std::string FormatJson(const Json& document, int indent = -1) {
  return document.dump(indent, ' ', false, Json::error_handler_t::replace);
}

namespace internal {
inline Json DeclinedToJson(const std::vector<Declined>& declined) {
  Json list = Json::array();
  for (const Declined& each : declined) {
    list.push_back(
        {{"name", each.node}, {"op", each.op_type}, {"reason", each.reason}});
  }
  return list;
}
}  // namespace internal

/// The result of a quantizing command:
///
///   output, form, profile, schemes{activations, weights}, samples,
///   nodes{total, quantized, quantized_names[], float[{name, op, reason}]},
///   tensors[{name, lo, hi, scale, zero_point, scheme, why}], left_undone[],
///   non_finite[], notes[], bytes{float, quantized}, seconds{phase: s},
///   peak_rss_bytes
inline Json QuantizationToJson(const QuantizationReport& report,
                               std::string_view output, std::size_t float_bytes,
                               std::size_t quantized_bytes,
                               std::size_t peak_rss_bytes) {
  Json document;
  document["output"] = output;
  document["form"] = report.form;
  document["profile"] = report.profile;
  document["schemes"] = {{"activations", report.activations},
                         {"weights", report.weights}};
  document["samples"] = report.samples;
  document["nodes"] = {{"total", report.nodes},
                       {"quantized", report.quantized.nodes.size()},
                       {"quantized_names", report.quantized.nodes},
                       {"float", internal::DeclinedToJson(report.float_nodes)}};
  Json& tensors = document["tensors"] = Json::array();
  for (const QuantizedActivation& tensor : report.quantized.activations) {
    tensors.push_back({{"name", tensor.name},
                       {"lo", tensor.range.lo},
                       {"hi", tensor.range.hi},
                       {"scale", tensor.params.scale},
                       {"zero_point", tensor.params.zero_point},
                       {"scheme", tensor.scheme},
                       {"why", tensor.why}});
  }
  document["left_undone"] = internal::DeclinedToJson(report.left_undone);
  Json& non_finite = document["non_finite"] = Json::array();
  for (const NonFiniteTensor& tensor : report.non_finite) {
    non_finite.push_back({{"name", tensor.name},
                          {"nan", tensor.nan},
                          {"infinite", tensor.infinite}});
  }
  document["notes"] = report.quantized.notes;
  document["bytes"] = {{"float", float_bytes}, {"quantized", quantized_bytes}};
  Json& seconds = document["seconds"] = Json::object();
  for (const PhaseTime& phase : report.seconds) {
    seconds[phase.phase] = phase.seconds;
  }
  document["peak_rss_bytes"] = peak_rss_bytes;
  return document;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_REPORT_JSON_REPORT_H_
