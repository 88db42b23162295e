"""Calibration beside ONNX Runtime's calibrators on the same samples: time and peak memory of whole processes.

    bazel run -c opt //bench/calibration:against_onnxruntime -- [--models A.onnx ...] [--samples 8 16 32 64] [--rounds 2]
        [--methods minmax entropy percentile] [--json]

`zeropoint calibrate` keeps the statistics of every rule (of min-max only, for minmax) and writes them; the other tool
collects for one rule and computes its ranges. The programs run in turn; of the rounds the fastest counts. A ratio above 1
says that Zeropoint needs less.
"""
import json
import os
import pathlib
import sys
import tempfile

import samples
from bench_models import PROGRAM, chosen, data_of, measure_best, parser_of

HERE = pathlib.Path(__file__).parent


def compare(model, folder, method, count, rounds):
    calib = str(folder / "calib.npz")
    with tempfile.TemporaryDirectory() as scratch:
        commands = {
            "zeropoint": [str(pathlib.Path.cwd() / PROGRAM), "calibrate", str(model), "--data", calib,
                          *samples.preprocess_options(folder), "--limit", str(count), "--collect",
                          "minmax" if method == "minmax" else "all", "--quiet", "-o", f"{scratch}/state.zpcal"],
            "onnxruntime": [sys.executable, "-W", "ignore", str(HERE / "onnxruntime_calibrator.py"), str(model), calib,
                            str(count), method],
        }
        return measure_best(commands, rounds)


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--samples", nargs="+", type=int, default=[8, 16, 32, 64])
    parser.add_argument("--methods", nargs="+", default=["minmax", "entropy", "percentile"])
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    if not options.json:
        print(f"fastest of {options.rounds}, {os.cpu_count()} CPUs\n")
        print(f"{'model':20}{'method':12}{'samples':>8}{'zeropoint':>20}{'onnxruntime':>22}{'ratio of time':>16}{'of memory':>12}")
    for model in chosen(options):
        name, folder = data_of(model)
        for method in options.methods:
            for count in options.samples:
                best = compare(model, folder, method, count, options.rounds)
                (seconds, memory), (peer_seconds, peer_memory) = best["zeropoint"], best["onnxruntime"]
                if options.json:
                    for measure_name, unit, value, peer in (("calibrate-seconds", "s", seconds, peer_seconds),
                                                            ("calibrate-peak-memory", "bytes", memory, peer_memory)):
                        print(json.dumps({"name": measure_name, "model": name, "method": method, "samples": count,
                                          "threads": os.cpu_count(), "value": value, "unit": unit,
                                          "peers": {"onnxruntime": peer}, "ratio": peer / value}), flush=True)
                else:
                    print(f"{name:20}{method:12}{count:8}{seconds:9.2f} s{memory / 2**20:6.0f} MiB{peer_seconds:11.2f} s"
                          f"{peer_memory / 2**20:6.0f} MiB{peer_seconds / seconds:16.1f}{peer_memory / memory:12.1f}",
                          flush=True)


if __name__ == "__main__":
    main()
