// The families that the built-in operators are compiled in.
//
// Each is one translation unit in families/, so that a change to an operator
// compiles its own family again and no other. AddBuiltinOperators
// (operator_registry.h) calls them all.
#ifndef ZEROPOINT_EXEC_OPERATOR_FAMILIES_H_
#define ZEROPOINT_EXEC_OPERATOR_FAMILIES_H_

namespace zeropoint {

class OperatorRegistry;

void AddBitsFamily(OperatorRegistry& registry);
void AddChoiceFamily(OperatorRegistry& registry);
void AddControlFlowFamily(OperatorRegistry& registry);
void AddDefinitionsFamily(OperatorRegistry& registry);
void AddElementwiseFamily(OperatorRegistry& registry);
void AddMovementFamily(OperatorRegistry& registry);
void AddWindowsFamily(OperatorRegistry& registry);
void AddMatricesFamily(OperatorRegistry& registry);
void AddRowsFamily(OperatorRegistry& registry);
void AddQuantizationFamily(OperatorRegistry& registry);

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATOR_FAMILIES_H_
