"""Writes onnx's operator test cases: FOLDER/CASE/model.onnx and FOLDER/CASE/test_data_set_0/{input,output}_N.pb.

Usage: generate_cases.py FOLDER

The cases are made in memory by the onnx package, so they are always those of its newest operator set.
"""
import pathlib
import sys
import warnings

import numpy
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases


def to_proto(value, name):
    """The tensor as a proto; None for a sequence or an optional."""
    if isinstance(value, onnx.TensorProto):
        proto = onnx.TensorProto()
        proto.CopyFrom(value)
        proto.name = name
        return proto
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return numpy_helper.from_array(numpy.asarray(value), name)
    return None


def write_case(folder, case):
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    inputs, outputs = case.data_sets[0]
    for kind, values, infos in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
        for i, (value, info) in enumerate(zip(values, infos)):
            proto = to_proto(value, info.name)
            if proto is not None:
                (data / f"{kind}_{i}.pb").write_bytes(proto.SerializeToString())


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    warnings.filterwarnings("ignore")  # of numpy, about the extremes that cases are made of
    cases = collect_testcases(None)
    for case in cases:
        write_case(pathlib.Path(sys.argv[1]) / case.name, case)
    print(f"{len(cases)} cases")


main()
