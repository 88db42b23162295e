#include "zeropoint/report/json_report.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/flow/compare.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/measure_sensitivity.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/run_pipeline.h"

namespace zeropoint {

std::string FormatJson(const Json& document, int indent) {
  return document.dump(indent, ' ', false, Json::error_handler_t::replace);
}

namespace {

Json DeclinedToJson(const std::vector<Declined>& declined) {
  Json list = Json::array();
  for (const Declined& each : declined) {
    list.push_back(
        {{"name", each.node}, {"op", each.op_type}, {"reason", each.reason}});
  }
  return list;
}

/// nodes{total, quantized, quantized_names[], float[{name, op, reason}]}
Json QuantizedNodesToJson(const QuantizationReport& report) {
  return {{"total", report.nodes},
          {"quantized", report.quantized.nodes.size()},
          {"quantized_names", report.quantized.nodes},
          {"float", DeclinedToJson(report.float_nodes)}};
}
/// tensors[{name, lo, hi, scale, zero_point, scheme, why}]
Json TensorsToJson(const QuantizationReport& report) {
  Json tensors = Json::array();
  for (const QuantizedActivation& tensor : report.quantized.activations) {
    tensors.push_back({{"name", tensor.name},
                       {"lo", tensor.range.lo},
                       {"hi", tensor.range.hi},
                       {"scale", tensor.params.scale},
                       {"zero_point", tensor.params.zero_point},
                       {"scheme", tensor.scheme},
                       {"why", tensor.why}});
  }
  return tensors;
}
/// integer_io[{kind, name, type, scale, zero_point}]
Json PortsToJson(const QuantizationReport& report) {
  Json ports = Json::array();
  for (const IntegerPort& port : report.quantized.integer_io) {
    ports.push_back({{"kind", port.kind},
                     {"name", port.name},
                     {"type", DataTypeName(port.type)},
                     {"scale", port.params.scale},
                     {"zero_point", port.params.zero_point}});
  }
  return ports;
}
Json SecondsToJson(const QuantizationReport& report) {
  Json seconds = Json::object();
  for (const PhaseTime& phase : report.seconds) {
    seconds[phase.phase] = phase.seconds;
  }
  return seconds;
}

/// Null where nothing is known of the target's times.
Json PredictedToJson(const PredictedTimes& times) {
  if (times.quantized <= 0.0) return nullptr;
  return {{"float_us", times.real},
          {"quantized_us", times.quantized},
          {"speed_up", times.real / times.quantized},
          {"measured_on", times.measured_on}};
}

}  // namespace

Json NodesToJson(std::span<const NodeDescription> nodes) {
  Json list = Json::array();
  for (const NodeDescription& node : nodes) {
    list.push_back({{"name", node.name},
                    {"op", node.op_type},
                    {"inputs", node.inputs},
                    {"outputs", node.outputs}});
  }
  return list;
}

Json FindingsToJson(const CalibrationFindings& findings, Json& non_finite) {
  non_finite = Json::array();
  for (const NonFiniteTensor& tensor : findings.non_finite) {
    non_finite.push_back({{"name", tensor.name},
                          {"nan", tensor.nan},
                          {"infinite", tensor.infinite}});
  }
  return {{"never_produced", findings.never_produced},
          {"always_empty", findings.always_empty},
          {"unsettled", findings.unsettled},
          {"unsettled_share", findings.unsettled_share},
          {"settled", findings.settled()}};
}

Json ConversionToJson(const QuantizationReport& report, std::string_view output,
                      std::size_t peak_rss_bytes) {
  Json document;
  document["output"] = output;
  document["form"] = report.form;
  document["nodes"] = QuantizedNodesToJson(report);
  document["tensors"] = TensorsToJson(report);
  document["left_undone"] = DeclinedToJson(report.left_undone);
  document["seconds"] = SecondsToJson(report);
  document["peak_rss_bytes"] = peak_rss_bytes;
  return document;
}

Json QuantizationToJson(const QuantizationReport& report,
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
  document["nodes"] = QuantizedNodesToJson(report);
  document["tensors"] = TensorsToJson(report);
  document["integer_io"] = PortsToJson(report);
  document["left_undone"] = DeclinedToJson(report.left_undone);
  document["calibration"] =
      FindingsToJson(report.findings, document["non_finite"]);
  document["calibration"]["method"] = report.calibration;
  document["notes"] = report.quantized.notes;
  document["predicted"] = PredictedToJson(report.quantized.predicted);
  Json& tuning = document["tuning"] = Json::array();
  for (const TuningStep& step : report.tuning) {
    Json& each = tuning.emplace_back();
    each = {{"what", step.what},
            {"sqnr_db", step.sqnr_db},
            {"accepted", step.accepted}};
    if (step.float_cost) each["float_cost"] = *step.float_cost;
    if (step.quality) each["quality"] = *step.quality;
  }
  document["bytes"] = {{"float", float_bytes}, {"quantized", quantized_bytes}};
  document["seconds"] = SecondsToJson(report);
  document["peak_rss_bytes"] = peak_rss_bytes;
  return document;
}

Json ComparisonToJson(const ComparisonReport& report, std::size_t float_bytes,
                      std::size_t quantized_bytes) {
  const auto decibel = [](double db) {
    return std::isfinite(db) ? Json(db) : Json();
  };
  Json document;
  document["samples"] = report.samples;
  Json& outputs = document["outputs"] = Json::array();
  for (const TensorComparison& output : report.outputs) {
    const OutputMeasures& measures = output.measures;
    outputs.push_back({{"name", output.name},
                       {"sqnr_db", decibel(measures.sqnr_db())},
                       {"worst_sample_db", decibel(measures.worst_sample_db())},
                       {"cosine", measures.cosine()},
                       {"max_abs_error", measures.max_abs_error()},
                       {"argmax_agreement", measures.argmax_agreement()},
                       {"non_finite", measures.non_finite()}});
  }
  Json& layers = document["layers"] = Json::array();
  for (std::size_t i = 0; i < report.layers.size(); ++i) {
    const TensorComparison& layer = report.layers[i];
    Json& each = layers.emplace_back();
    each = {{"tensor", layer.name},
            {"sqnr_db", decibel(layer.measures.sqnr_db())}};
    if (i < report.layers_alone.size()) {
      each["alone_db"] = decibel(report.layers_alone[i].measures.sqnr_db());
    }
  }
  Json& samples = document["samples_db"] = Json::array();
  for (const double db : report.samples_db) samples.push_back(decibel(db));
  document["milliseconds"] = {{"float", report.float_milliseconds},
                              {"quantized", report.quantized_milliseconds}};
  if (report.float_accuracy) {
    document["accuracy"] = {
        {"float", report.float_accuracy->accuracy()},
        {"quantized", report.quantized_accuracy->accuracy()}};
  }
  document["bytes"] = {{"float", float_bytes}, {"quantized", quantized_bytes}};
  return document;
}

Json SensitivityToJson(const SensitivityReport& report) {
  Json document = {{"samples", report.samples}, {"all_db", report.all_db}};
  Json& nodes = document["nodes"] = Json::array();
  for (const NodeSensitivity& node : report.nodes) {
    nodes.push_back({{"name", node.node},
                     {"op", node.op_type},
                     {"work_share", node.work_share},
                     {"alone_db", node.alone_db},
                     {"without_db", node.without_db}});
  }
  return document;
}

Json PipelineToJson(const PipelineReport& report) {
  Json document;
  Json& passes = document["passes"] = Json::array();
  for (const PassRun& pass : report.passes) {
    passes.push_back({{"name", pass.name}, {"rewrites", pass.rewrites}});
  }
  document["declined"] = DeclinedToJson(report.declined);
  return document;
}

Json DescriptionToJson(const ModelDescription& model) {
  Json document;
  document["ir_version"] = model.ir_version;
  document["opsets"] = model.opsets;
  document["producer"] = model.producer;
  document["form"] = model.form;
  Json& inputs = document["inputs"] = Json::array();
  for (const InputDescription& input : model.inputs) {
    Json shape;
    if (input.dims) {
      shape = Json::array();
      for (const std::int64_t dim : *input.dims) {
        shape.push_back(dim < 0 ? Json() : Json(dim));
      }
    }
    inputs.push_back({{"name", input.name},
                      {"type", DataTypeName(input.type)},
                      {"shape", std::move(shape)}});
  }
  document["outputs"] = model.outputs;
  document["operators"] = model.operators;
  Json& constants = document["constants"] = Json::object();
  for (const auto& [type, stored] : model.constants) {
    constants[type] = {{"tensors", stored.tensors}, {"bytes", stored.bytes}};
  }
  document["nodes"] = NodesToJson(model.nodes);
  return document;
}

}  // namespace zeropoint
