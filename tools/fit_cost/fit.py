"""Fits the times that measure.py wrote, and prints the header that the profiles read them from.

    python tools/fit_cost/fit.py tools/fit_cost/*.csv > include/zeropoint/profiles/operator_costs.h

A node takes a + b * multiply-accumulates + c * elements. The fit minimizes the sum of absolute errors relative to what was
measured, over coefficients that are not negative: an outlier, where another process had the processor, moves it little.
"""
import csv
import itertools
import pathlib
import sys

import numpy as np

HEADER = '''// What operators take in float and in int8, fitted to measured times.
//
// Made by tools/fit_cost from {tables}; do not edit.
#ifndef ZEROPOINT_PROFILES_OPERATOR_COSTS_H_
#define ZEROPOINT_PROFILES_OPERATOR_COSTS_H_

#include "zeropoint/core/cost_spec.h"

namespace zeropoint {{

{functions}
}}  // namespace zeropoint

#endif  // ZEROPOINT_PROFILES_OPERATOR_COSTS_H_
'''


def least_squares(features, target):
    """The best coefficients that are not negative: with so few features, every subset can be tried."""
    best = (np.inf, None)
    count = features.shape[1]
    for size in range(1, count + 1):
        for chosen in itertools.combinations(range(count), size):
            part, *_ = np.linalg.lstsq(features[:, chosen], target, rcond=None)
            if (part < 0).any():
                continue
            coefficients = np.zeros(count)
            coefficients[list(chosen)] = part
            best = min(best, (np.square(features @ coefficients - target).sum(), tuple(coefficients)))
    return np.array(best[1])


def fit(rows, by_macs):
    """Microseconds of a node, of a million multiply-accumulates and of a thousand elements; the median relative error."""
    macs, elements, measured = np.array([[float(row[key]) for key in ("macs", "elements", "microseconds")] for row in rows]).T
    features = np.stack([np.ones_like(measured), macs / 1e6, elements / 1e3], axis=1) / measured[:, None]
    if not by_macs:
        features[:, 1] = 0
    weights = np.ones_like(measured)
    for _ in range(50):
        coefficients = least_squares(features * weights[:, None], weights)
        weights = 1 / np.sqrt(np.maximum(np.abs(features @ coefficients - 1), 1e-3))
    return coefficients, np.median(np.abs(features @ coefficients - 1))


def costs_of(table):
    with open(table, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    groups = {}
    for row in rows:
        # a pair costs the same whatever stands beside it
        operator = "" if row["kind"] == "pair" else row["operator"]
        groups.setdefault((operator, row["kind"]), []).append(row)
    return {key: fit(group, by_macs=key[1] != "pair" and group[0]["macs"] != "0") for key, group in groups.items()}


def function_of(table):
    name = "".join(word.capitalize() for word in table.stem.replace("onnxruntime", "onnx-runtime").replace("vino", "-vino").split("-"))
    costs = costs_of(table)

    def node(operator, kind, share=1.0):
        return "{%s}" % ", ".join(f"{share * each:.3g}" for each in costs[operator, kind][0])

    lines = [f"inline CostSpec {name}Costs() {{", "  CostSpec costs;", f'  costs.measured_on = "{MEASURED_ON}";']
    for operator, kind in costs:
        if kind != "float":
            continue
        op_type = operator.removeprefix("depthwise ")
        for each in (op_type, *ALIKE.get(op_type, [])):
            fields = [f'.op_type = "{each}"', f".real = {node(operator, 'float')}"]
            if operator != op_type:
                fields.insert(1, ".grouped = true")
            if (operator, "int8") in costs:
                fields.append(f".quantized = NodeCost{node(operator, 'int8')}")
            lines.append(f"  costs.operators.push_back({{{', '.join(fields)}}});")
    lines.append(f"  costs.other = {node('Add', 'float')};")
    # A pair is two conversions, each of half the elements.
    pair, _ = costs["", "pair"]
    lines.append(f"  costs.conversion = {{{pair[0] / 2:.3g}, 0, {pair[2]:.3g}}};")
    if table.stem == "openvino":
        lines.append("  costs.quantizes_float_outputs = true;")
    for (operator, kind), (_, error) in costs.items():
        print(f"{table.stem:18}{operator:20}{kind:8}median error {100 * error:.0f} %", file=sys.stderr)
    return "\n".join([*lines, "  return costs;", "}", ""])


# measured once for all of a kind
ALIKE = {"Conv": ["ConvTranspose"], "MatMul": ["Gemm"], "Erf": ["Gelu", "Tanh"]}
MEASURED_ON = "one thread of an x86-64 processor with AVX2 and no dot-product instructions"


def main():
    tables = [pathlib.Path(name) for name in sys.argv[1:]]
    print(HEADER.format(tables=" and ".join(table.name for table in tables),
                        functions="\n".join(function_of(table) for table in tables)), end="")


if __name__ == "__main__":
    main()
