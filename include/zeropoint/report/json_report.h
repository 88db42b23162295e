// Reports as JSON. The keys are an interface: scripts read them.
#ifndef ZEROPOINT_REPORT_JSON_REPORT_H_
#define ZEROPOINT_REPORT_JSON_REPORT_H_

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "zeropoint/flow/compare.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/measure_sensitivity.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/run_pipeline.h"

namespace zeropoint {

/// Keeps keys in the order in which they are written.
using Json = nlohmann::ordered_json;

/// The text of a document. Names in a model are untrusted bytes: what is no
/// UTF-8 is replaced.
std::string FormatJson(const Json& document, int indent = -1);

/// [{name, op, inputs[], outputs[]}]
Json NodesToJson(std::span<const NodeDescription> nodes);

/// What calibration found: never_produced[], always_empty[], unsettled[],
/// unsettled_share, settled. `non_finite` becomes the tensors that hold NaN or
/// infinities: [{name, nan, infinite}].
Json FindingsToJson(const CalibrationFindings& findings, Json& non_finite);

/// What `convert` says: output, form, nodes{}, tensors[], left_undone[],
/// seconds{}, peak_rss_bytes, each as QuantizationToJson has it.
Json ConversionToJson(const QuantizationReport& report, std::string_view output,
                      std::size_t peak_rss_bytes);

/// The result of a quantizing command:
///
///   output, form, profile, schemes{activations, weights}, samples,
///   nodes{total, quantized, quantized_names[], float[{name, op, reason}]},
///   tensors[{name, lo, hi, scale, zero_point, scheme, why}], left_undone[],
///   integer_io[{kind, name, type, scale, zero_point}], non_finite[],
///   calibration{method, never_produced[], always_empty[], unsettled[],
///   unsettled_share, settled}, notes[],
///   predicted{float_us, quantized_us, speed_up, measured_on} or null,
///   tuning[{what, sqnr_db, accepted, float_cost and quality where
///   there are some}],
///   bytes{float, quantized}, seconds{phase: s}, peak_rss_bytes
Json QuantizationToJson(const QuantizationReport& report,
                        std::string_view output, std::size_t float_bytes,
                        std::size_t quantized_bytes,
                        std::size_t peak_rss_bytes);

/// What `compare` says:
///
///   samples, outputs[{name, sqnr_db, worst_sample_db, cosine, max_abs_error,
///   argmax_agreement, non_finite}], layers[{tensor, sqnr_db,
///   alone_db}], samples_db[], milliseconds{float, quantized}, accuracy{float,
///   quantized} when there are labels, bytes{float, quantized}
///
/// An SQNR without any error is null: JSON has no infinity.
Json ComparisonToJson(const ComparisonReport& report, std::size_t float_bytes,
                      std::size_t quantized_bytes);

/// What `sensitivity` says: samples, all_db, nodes[{name, op, work_share,
/// alone_db, without_db}], the one first that alone costs most.
Json SensitivityToJson(const SensitivityReport& report);

/// What `passes` says: passes[{name, rewrites}], declined[{name, op, reason}].
Json PipelineToJson(const PipelineReport& report);

/// What `inspect` says: ir_version, opsets, producer, form, inputs[{name, type,
/// shape}], outputs[], operators{type: count}, constants{type: {tensors,
/// bytes}}, nodes[{name, op, inputs[], outputs[]}]. An axis of any length is
/// null.
Json DescriptionToJson(const ModelDescription& model);

}  // namespace zeropoint

#endif  // ZEROPOINT_REPORT_JSON_REPORT_H_
