// MakeOperator: which code runs a node, be it a kernel or a function.
#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "onnx/defs/schema.h"
#include "zeropoint/exec/bind_function.h"
#include "zeropoint/exec/contrib_functions.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/computed_in_float.h"
#include "zeropoint/exec/operators/function_call.h"

namespace zeropoint {
namespace {

using functions::FunctionCall;

std::string Domain(const std::string& domain) {
  return domain == "ai.onnx" ? "" : domain;
}

// The function of the model that the node calls, or nullptr.
const onnx::FunctionProto* FindLocal(const PlanScope& scope,
                                     const onnx::NodeProto& node) {
  const Model* model = scope.environment->model;
  if (model == nullptr) return nullptr;
  for (const onnx::FunctionProto& function : model->proto().functions()) {
    if (function.name() == node.op_type() &&
        Domain(function.domain()) == Domain(node.domain()) &&
        function.overload() == node.overload()) {
      return &function;
    }
  }
  return nullptr;
}

std::unique_ptr<Operator> CallLocal(const onnx::FunctionProto& function,
                                    const OperatorInit& init) {
  const auto maker = [&function, &node = init.node](
                         const auto&) -> Result<onnx::FunctionProto> {
    onnx::FunctionProto bound = function;
    BindFunction(node, {}, bound);
    return bound;
  };
  return std::make_unique<FunctionCall>(init.node, *init.scope, maker, false);
}

// For each output, the inputs of the same type parameter.
std::vector<std::vector<std::size_t>> SameTypes(const onnx::OpSchema& schema,
                                                const onnx::NodeProto& node) {
  const auto parameter = [](const auto& formals, std::size_t i) {
    if (formals.empty()) return std::string();
    return formals[std::min(i, formals.size() - 1)].GetTypeStr();
  };
  std::vector<std::vector<std::size_t>> same;
  for (int i = 0; i < node.output_size(); ++i) {
    const auto type = parameter(schema.outputs(), static_cast<std::size_t>(i));
    auto& inputs = same.emplace_back();
    for (int k = 0; k < node.input_size(); ++k) {
      const auto input = static_cast<std::size_t>(k);
      if (parameter(schema.inputs(), input) == type) inputs.push_back(input);
    }
  }
  return same;
}

// The operator's schema in force, or nullptr.
const onnx::OpSchema* SchemaOf(const OperatorInit& init) {
  return onnx::OpSchemaRegistry::Schema(init.node.op_type(),
                                        static_cast<int>(init.opset),
                                        Domain(init.node.domain()));
}

// The newest of `versions` that is not above `opset`, else the oldest: a
// function says itself which operator sets it is written in.
int ChooseVersion(std::vector<int> versions, int opset) {
  std::sort(versions.begin(), versions.end());
  int chosen = versions.empty() ? opset : versions.front();
  for (const int version : versions) {
    if (version <= opset) chosen = version;
  }
  return chosen;
}

// Runs `call`, turning what it throws into an error that starts with `who`.
template <class Call>
Status Guard(const std::string& who, Call&& call) {
  try {
    call();
    return Status();
  } catch (const std::exception& error) {
    return InvalidModel(who + ": " + error.what());
  }
}

Result<onnx::FunctionProto> FunctionOfSchema(
    const onnx::OpSchema& schema, const onnx::NodeProto& node, int opset,
    const std::vector<onnx::TypeProto>& types) {
  AttributesByName defaults;
  for (const auto& [name, attribute] : schema.attributes()) {
    if (attribute.default_value.type() != onnx::AttributeProto::UNDEFINED) {
      defaults.emplace(name, attribute.default_value);
    }
  }
  onnx::FunctionProto function;
  bool made = false;
  ZEROPOINT_RETURN_IF_ERROR(
      Guard("onnx's definition of " + node.op_type(), [&] {
        if (schema.HasFunction()) {
          const int version =
              ChooseVersion(schema.function_opset_versions(), opset);
          function = *schema.GetFunction(version);
          made = true;
          return;
        }
        // A builder reads the attributes that the node leaves out from the
        // node too.
        onnx::NodeProto whole = node;
        for (const auto& [name, value] : defaults) {
          bool given = false;
          for (const auto& attribute : node.attribute()) {
            given = given || attribute.name() == name;
          }
          if (!given) *whole.add_attribute() = value;
        }
        const onnx::FunctionBodyBuildContextImpl context(whole, types);
        made = schema.BuildContextDependentFunction(
            context, function,
            ChooseVersion(schema.context_dependent_function_opset_versions(),
                          opset));
      }));
  if (!made) {
    return Unsupported("onnx defines " + node.op_type() +
                       " by no function for these inputs and attributes");
  }
  if (function.opset_import().empty()) {
    auto* import = function.add_opset_import();
    import->set_version(opset);
  }
  BindFunction(node, std::move(defaults), function);
  return function;
}

std::unique_ptr<Operator> CallSchema(const onnx::OpSchema& schema,
                                     const OperatorInit& init) {
  const auto maker = [&schema, &node = init.node,
                      opset = static_cast<int>(init.opset)](const auto& types) {
    return FunctionOfSchema(schema, node, opset, types);
  };
  return std::make_unique<FunctionCall>(init.node, *init.scope, maker,
                                        schema.HasContextDependentFunction());
}

}  // namespace

Result<std::unique_ptr<Operator>> MakeOperator(const OperatorInit& init) {
  if (const auto* function = FindLocal(*init.scope, init.node)) {
    return CallLocal(*function, init);
  }
  const onnx::OpSchema* schema = SchemaOf(init);
  auto op = init.scope->environment->registry.Make(init);
  // A graph has types of its own.
  if (op.ok() && !(*op)->nested().empty()) return op;
  if (op.ok()) {
    auto same_types = schema == nullptr
                          ? std::vector<std::vector<std::size_t>>()
                          : SameTypes(*schema, init.node);
    // Their 16-bit results are those of the definition, rounded step by step;
    // their doubles have no kernel.
    const bool defined =
        init.node.op_type() == "Softmax" || init.node.op_type() == "LogSoftmax";
    auto by_definition = schema != nullptr && defined && init.opset >= 13
                             ? CallSchema(*schema, init)
                             : nullptr;
    return std::unique_ptr<Operator>(std::make_unique<ComputedInFloat>(
        std::move(*op), std::move(same_types), std::move(by_definition)));
  }
  const bool known = init.scope->environment->registry.Contains(
      init.node.domain(), init.node.op_type());
  const contrib::Entry* entry = init.node.domain() == "com.microsoft"
                                    ? contrib::Find(init.node.op_type())
                                    : nullptr;
  if (entry != nullptr && !known) {
    const auto maker = [entry, &node = init.node](const auto& types) {
      return contrib::Define(*entry, node, types);
    };
    return std::unique_ptr<Operator>(
        std::make_unique<FunctionCall>(init.node, *init.scope, maker, true));
  }
  if (schema != nullptr && !known &&
      (schema->HasFunction() || schema->HasContextDependentFunction())) {
    return CallSchema(*schema, init);
  }
  return op;
}

}  // namespace zeropoint
