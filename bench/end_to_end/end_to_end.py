"""Static quantization end to end, beside ONNX Runtime's tool on the same samples: time and peak memory of whole processes.

    bazel run -c opt //bench/end_to_end -- [--models A.onnx B.onnx ...] [--samples 32] [--rounds 3] [--json]

Without --models: those in examples/data. The data of DIR/model.onnx are in DIR, those of DIR/models/NAME.onnx in
DIR/data/NAME. The two programs run in turn, so that a change of the machine's load hits both; of the rounds the fastest
counts. A ratio above 1 says that Zeropoint needs less.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

import samples

HERE = pathlib.Path(__file__).parent
# The other tool has neither second-order rounding nor tuning.
SAME_WORK = ["--rounding", "nearest", "--tune", "off"]


def data_of(model):
    """(name, folder with calib.npz)"""
    for name, folder in ((model.parent.name, model.parent), (model.stem, model.parent.parent / "data" / model.stem)):
        if (folder / "calib.npz").exists():
            return name, folder
    raise SystemExit(f"{model}: neither {model.parent} nor {model.parent.parent / 'data' / model.stem} holds calib.npz")


def measure(command):
    """(seconds, peak resident bytes) of a process."""
    start = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ,
                             file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"exit status {os.waitstatus_to_exitcode(status)}: {' '.join(command)}")
    return seconds, usage.ru_maxrss * 1024


def compare(program, model, count, rounds):
    name, folder = data_of(model)
    calib = str(folder / "calib.npz")
    best = {}
    with tempfile.TemporaryDirectory() as scratch:
        commands = {
            "zeropoint": [program, "static", str(model), "--data", calib, *samples.preprocess_options(folder), "--limit",
                          str(count), "--profile", "onnxruntime-cpu", *SAME_WORK, "--quiet",
                          "-o", f"{scratch}/zeropoint.onnx"],
            "onnxruntime": [sys.executable, "-W", "ignore", str(HERE / "onnxruntime_tool.py"), str(model), calib, str(count),
                            f"{scratch}/onnxruntime.onnx"],
        }
        for _ in range(rounds):
            for tool, command in commands.items():
                measured = measure(command)
                best[tool] = [min(pair) for pair in zip(best.get(tool, measured), measured)]
    return name, best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", type=pathlib.Path)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON line a model and measure")
    options = parser.parse_args()
    runfiles = pathlib.Path.cwd()
    # bazel run starts the program in its own folder
    called_from = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", runfiles))
    models = ([(called_from / model).resolve() for model in options.models] if options.models
              else sorted(runfiles.glob("examples/data/*/model.onnx")))
    if not options.json:
        print(f"{options.samples} samples, fastest of {options.rounds}, {os.cpu_count()} CPUs\n")
        print(f"{'model':20}{'zeropoint':>20}{'onnxruntime tool':>22}{'ratio of time':>16}{'of memory':>12}")
    for model in models:
        name, best = compare(str(runfiles / "tools/zeropoint/zeropoint"), model, options.samples, options.rounds)
        (seconds, memory), (peer_seconds, peer_memory) = best["zeropoint"], best["onnxruntime"]
        if options.json:
            for measure_name, unit, value, peer in (("static-seconds", "s", seconds, peer_seconds),
                                                    ("static-peak-memory", "bytes", memory, peer_memory)):
                print(json.dumps({"name": measure_name, "model": name, "samples": options.samples,
                                  "threads": os.cpu_count(), "value": value, "unit": unit,
                                  "peers": {"onnxruntime": peer}, "ratio": peer / value, "limit": None}), flush=True)
        else:
            print(f"{name:20}{seconds:9.2f} s{memory / 2**20:6.0f} MiB{peer_seconds:11.2f} s{peer_memory / 2**20:6.0f} MiB"
                  f"{peer_seconds / seconds:16.1f}{peer_memory / memory:12.1f}", flush=True)


if __name__ == "__main__":
    main()
