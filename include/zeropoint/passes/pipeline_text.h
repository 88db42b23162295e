// Pipelines as text: "fold-constant,insert-qdq{weights=i8:sym:channel}".
//
//   pipeline = [ pass { "," pass } ]
//   pass     = name [ "{" [ option { "," option } ] "}" ]
//   option   = name "=" value
//   value    = characters other than , { } " and white space
//            | '"' any characters, with \" and \\ for " and \ '"'
//
// White space, line ends included, may stand between any two of these; so a
// pipeline may be a file. Quotes are for node names, which may hold anything.
#ifndef ZEROPOINT_PASSES_PIPELINE_TEXT_H_
#define ZEROPOINT_PASSES_PIPELINE_TEXT_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/passes/any_pass.h"
#include "zeropoint/passes/pass_options.h"
#include "zeropoint/passes/pass_registry.h"

namespace zeropoint {
namespace internal {

class PipelineParser {
 public:
  PipelineParser(std::string_view text, const PassRegistry& registry)
      : text_(text), registry_(registry) {}

  Result<AnyPipeline> Parse() {
    AnyPipeline pipeline;
    SkipSpace();
    if (AtEnd()) return pipeline;
    while (true) {
      ZEROPOINT_ASSIGN_OR_RETURN(AnyPass pass, ParsePass());
      pipeline.Append(std::move(pass));
      if (AtEnd()) return pipeline;
      if (!Accept(',')) return Expected("',' or the end");
    }
  }

 private:
  Result<AnyPass> ParsePass() {
    SkipSpace();
    const std::size_t begin = position_;
    const std::string_view name = Word(kNameStops);
    if (name.empty()) return Expected("the name of a pass");
    const PassEntry* entry = registry_.Find(name);
    if (entry == nullptr) {
      std::vector<std::string_view> known;
      for (const PassEntry& each : registry_.entries()) {
        known.push_back(each.name);
      }
      return Unknown("pass", name, begin, known);
    }
    OptionMap options;
    for (const PassOption& option : entry->options) {
      options.Set(option.name, std::string(option.default_value));
    }
    if (Accept('{')) ZEROPOINT_RETURN_IF_ERROR(ParseOptions(*entry, options));
    auto pass = entry->make(options);
    if (!pass.ok()) {
      return pass.status().WithContext("pass '" + entry->name + "'");
    }
    return pass;
  }

  Status ParseOptions(const PassEntry& entry, OptionMap& options) {
    std::vector<std::string_view> given;
    if (Accept('}')) return Status();
    do {
      SkipSpace();
      const std::size_t begin = position_;
      const std::string_view name = Word(kNameStops);
      if (name.empty()) return Expected("the name of an option");
      if (!options.Has(name)) return UnknownOption(entry, name, begin);
      if (std::find(given.begin(), given.end(), name) != given.end()) {
        return Fault(begin, "option '" + std::string(name) + "' of pass '" +
                                entry.name + "' is given twice");
      }
      given.push_back(name);
      if (!Accept('=')) return Expected("'=' and a value");
      SkipSpace();
      const std::size_t value_begin = position_;
      ZEROPOINT_ASSIGN_OR_RETURN(std::string value, Value());
      options.Set(name, std::move(value), value_begin);
    } while (Accept(','));
    return Accept('}') ? Status() : Expected("',' or '}'");
  }

  Result<std::string> Value() {
    if (!AtEnd() && text_[position_] == '"') return QuotedValue();
    const std::string_view word = Word(kValueStops);
    if (word.empty()) return Expected("a value");
    return std::string(word);
  }

  Result<std::string> QuotedValue() {
    const std::size_t begin = position_++;
    std::string value;
    while (!AtEnd() && text_[position_] != '"') {
      if (text_[position_] == '\\') ++position_;
      if (AtEnd()) break;
      value += text_[position_++];
    }
    if (AtEnd()) return Fault(begin, "the quote is never closed");
    ++position_;
    SkipSpace();
    return value;
  }

  // Characters up to one of `stops`, and skips the space behind them.
  std::string_view Word(std::string_view stops) {
    const std::size_t begin = position_;
    position_ = std::min(text_.find_first_of(stops, begin), text_.size());
    const std::string_view word = text_.substr(begin, position_ - begin);
    SkipSpace();
    return word;
  }

  bool Accept(char wanted) {
    if (AtEnd() || text_[position_] != wanted) return false;
    ++position_;
    SkipSpace();
    return true;
  }
  void SkipSpace() {
    position_ =
        std::min(text_.find_first_not_of(kSpace, position_), text_.size());
  }
  bool AtEnd() const { return position_ == text_.size(); }

  Status Expected(std::string_view what) const {
    const std::string found =
        AtEnd() ? "the end" : "'" + std::string(1, text_[position_]) + "'";
    return Fault(position_,
                 "expected " + std::string(what) + ", found " + found);
  }
  Status UnknownOption(const PassEntry& entry, std::string_view name,
                       std::size_t position) const {
    std::vector<std::string_view> known;
    for (const PassOption& option : entry.options) known.push_back(option.name);
    return Unknown("option of pass '" + entry.name + "'", name, position,
                   known);
  }
  static Status Unknown(const std::string& kind, std::string_view name,
                        std::size_t position,
                        const std::vector<std::string_view>& known) {
    std::string message = "unknown " + kind + ": '" + std::string(name) + "'";
    message += known.empty() ? "; there are none" : "; known: ";
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (i > 0) message += ", ";
      message += known[i];
    }
    return Fault(position, message);
  }
  static Status Fault(std::size_t position, const std::string& message) {
    return InvalidArgument("position " + std::to_string(position + 1) + ": " +
                           message);
  }

  static constexpr std::string_view kSpace = " \t\r\n";
  // A value may hold '=', as in axis=1.
  static constexpr std::string_view kValueStops = ",{}\" \t\r\n";
  static constexpr std::string_view kNameStops = "=,{}\" \t\r\n";
  std::string_view text_;
  const PassRegistry& registry_;
  std::size_t position_ = 0;
};

}  // namespace internal

/// Makes the pipeline that `text` describes (grammar: above). An empty text is
/// an empty pipeline.
/// Errors: kInvalidArgument with the position, counted from 1, of the first
/// fault; an unknown pass or option lists the known ones.
inline Result<AnyPipeline> ParsePipeline(std::string_view text,
                                         const PassRegistry& registry) {
  auto pipeline = internal::PipelineParser(text, registry).Parse();
  if (!pipeline.ok()) {
    return pipeline.status().WithContext("pipeline '" + std::string(text) +
                                         "'");
  }
  return pipeline;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_PIPELINE_TEXT_H_
