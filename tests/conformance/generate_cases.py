"""Writes onnx's test cases: FOLDER/CASE/model.onnx, FOLDER/CASE/test_data_set_N/{input,output}_N.pb, FOLDER/CASE/tolerance.

Usage: generate_cases.py FOLDER

The node cases are made in memory by the onnx package, so they are always those of its newest operator set; the simple, the
PyTorch and the light models are files of the package. tolerance holds two numbers: relative and absolute.
"""
import pathlib
import shutil
import sys
import warnings

import numpy
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.loader import DATA_DIR, load_model_tests
from onnx.backend.test.runner import Runner


def to_proto(value, name, value_type):
    """The value as the proto of its type; None for what has none."""
    if value_type.HasField("optional_type"):
        return numpy_helper.from_optional(value, name)
    if value_type.HasField("sequence_type"):
        return numpy_helper.from_list(value, name)
    if isinstance(value, onnx.TensorProto):
        proto = onnx.TensorProto()
        proto.CopyFrom(value)
        proto.name = name
        return proto
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return numpy_helper.from_array(numpy.asarray(value), name)
    return None


def write_case(folder, case):
    """A case that the package makes in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{number}"
        data.mkdir(exist_ok=True)
        for kind, values, infos in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
            for i, (value, info) in enumerate(zip(values, infos)):
                proto = to_proto(value, info.name, info.type)
                if proto is not None:
                    (data / f"{kind}_{i}.pb").write_bytes(proto.SerializeToString())
    write_tolerance(folder, case)


def write_tolerance(folder, case):
    (folder / "tolerance").write_text(f"{case.rtol} {case.atol}\n")


def write_light(folder, case):
    """A large network whose weights are made up in the graph; its outputs are in the package."""
    source = pathlib.Path(DATA_DIR) / "light" / pathlib.Path(case.url).name
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, folder / "model.onnx")
    graph = onnx.load(source).graph
    weights = {tensor.name for tensor in graph.initializer}
    fed = [info for info in graph.input if info.name not in weights]
    for i, info in enumerate(fed):
        value = Runner.generate_dummy_data(info, seed=0, name=case.model_name, random=False)
        (data / f"input_{i}.pb").write_bytes(numpy_helper.from_array(value, info.name).SerializeToString())
    shutil.copy(source.with_name(source.stem + "_output_0.pb"), data / "output_0.pb")
    write_tolerance(folder, case)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    warnings.filterwarnings("ignore")  # of numpy, about the extremes that cases are made of
    root = pathlib.Path(sys.argv[1])
    count = 0
    for case in collect_testcases(None):
        write_case(root / case.name, case)
        count += 1
    for kind in ("simple", "pytorch-converted", "pytorch-operator"):
        for case in load_model_tests(kind=kind):
            shutil.copytree(case.model_dir, root / f"{kind}_{case.name}", dirs_exist_ok=True)
            write_tolerance(root / f"{kind}_{case.name}", case)
            count += 1
    for case in load_model_tests(kind="real"):
        if "/light/" in case.url:
            write_light(root / f"light_{case.name}", case)
            count += 1
    print(f"{count} cases")


main()
