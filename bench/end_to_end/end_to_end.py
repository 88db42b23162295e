"""Static quantization end to end, beside ONNX Runtime's tool on the same samples: time and peak memory of whole processes.

    bazel run -c opt //bench/end_to_end -- [--models A.onnx B.onnx ...] [--samples 32] [--rounds 3] [--json]

Without --models: those in examples/data. The data of DIR/model.onnx are in DIR, those of DIR/models/NAME.onnx in
DIR/data/NAME. The two programs run in turn, so that a change of the machine's load hits both; of the rounds the fastest
counts. A ratio above 1 says that Zeropoint needs less.
"""
import json
import os
import tempfile

from bench_models import chosen, data_of, measure_best, parser_of
from quantizers import commands

# The other tool takes the least and the greatest value, and has neither second-order rounding nor tuning.
SAME_WORK = ["--calibration", "minmax", "--rounding", "nearest", "--tune", "off"]


def compare(model, count, rounds):
    with tempfile.TemporaryDirectory() as scratch:
        return data_of(model)[0], measure_best(commands(model, count, scratch, *SAME_WORK), rounds)


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not options.json:
        print(f"{options.samples} samples, fastest of {options.rounds}, {os.cpu_count()} CPUs\n")
        print(f"{'model':20}{'zeropoint':>20}{'onnxruntime tool':>22}{'ratio of time':>16}{'of memory':>12}")
    for model in chosen(options):
        name, best = compare(model, options.samples, options.rounds)
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
