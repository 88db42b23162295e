"""How fast ONNX Runtime runs what Zeropoint makes, beside what its own tool makes and the float model, and how accurately.

    bazel run -c opt //bench/end_to_end:inference -- [--models A.onnx B.onnx ...] [--samples 32] [--threads 1] [--json]

Zeropoint runs with its default options for onnxruntime-cpu; the tool with uint8 activations, int8 weights per channel and
min-max ranges. Where models and data are: as in end_to_end. The three models run in turn on each sample, so that a change
of the machine's load hits all of them; of each sample's rounds the fastest counts. A ratio above 1 says that Zeropoint's
model is faster. SQNR is that of the first output, against the float model.
"""
import json
import subprocess
import tempfile
import time

import numpy as np
import onnxruntime

import samples
from bench_models import chosen, data_of, parser_of
from quantizers import commands

EVALUATED = 32


def session_of(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def sqnr(reference, outputs):
    """Over all samples, in dB."""
    signal = sum(float(np.square(each, dtype=np.float64).sum()) for each in reference)
    noise = sum(float(np.square(np.subtract(a, b, dtype=np.float64)).sum()) for a, b in zip(reference, outputs))
    return 10 * np.log10(signal / max(noise, 1e-30))


def run(sessions, feeds, rounds):
    """By tool: (milliseconds a sample, first outputs)."""
    results = {tool: (0.0, []) for tool in sessions}
    for session in sessions.values():
        session.run(None, feeds[0])
    for feed in feeds:
        best = {}
        for _ in range(rounds):
            for tool, session in sessions.items():
                start = time.perf_counter()
                output = session.run(None, feed)[0]
                seconds = time.perf_counter() - start
                best[tool] = min(best.get(tool, (seconds, output)), (seconds, output), key=lambda pair: pair[0])
        for tool, (seconds, output) in best.items():
            total, outputs = results[tool]
            results[tool] = (total + 1e3 * seconds / len(feeds), [*outputs, output])
    return results


def compare(model, count, threads, rounds):
    """(name, by tool: (milliseconds, SQNR)); None for a model that ONNX Runtime does not load."""
    onnxruntime.set_default_logger_severity(3)
    name, folder = data_of(model)
    with tempfile.TemporaryDirectory() as scratch:
        sessions = {"float": session_of(model, threads)}
        for tool, command in commands(model, count, scratch).items():
            try:
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                sessions[tool] = session_of(f"{scratch}/{tool}.onnx", threads)
            except (subprocess.CalledProcessError, onnxruntime.capi.onnxruntime_pybind11_state.InvalidGraph) as problem:
                print(f"{name}: {tool}: {problem}", flush=True)
        results = run(sessions, samples.load(folder / "eval.npz", EVALUATED), rounds)
    reference = results["float"][1]
    return name, {tool: (milliseconds, sqnr(reference, outputs)) for tool, (milliseconds, outputs) in results.items()}


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--samples", type=int, default=32, help="calibration samples")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not options.json:
        print(f"{options.threads} threads, fastest of {options.rounds}, {EVALUATED} samples\n")
        print(f"{'model':20}{'float':>12}{'zeropoint':>22}{'onnxruntime tool':>24}{'ratio of time':>16}{'to float':>10}")
    for model in chosen(options):
        name, results = compare(model, options.samples, options.threads, options.rounds)
        real, (ours, decibel) = results["float"][0], results["zeropoint"]
        peer, peer_decibel = results.get("onnxruntime", (float("nan"), float("nan")))
        if options.json:
            print(json.dumps({"name": "inference-milliseconds", "model": name, "threads": options.threads, "value": ours,
                              "unit": "ms", "sqnr_db": decibel, "peers": {"float": real, "onnxruntime": peer},
                              "peer_sqnr_db": peer_decibel, "ratio": peer / ours, "limit": None}), flush=True)
        else:
            print(f"{name:20}{real:9.2f} ms{ours:10.2f} ms{decibel:6.1f} dB{peer:12.2f} ms{peer_decibel:6.1f} dB"
                  f"{peer / ours:16.2f}{real / ours:10.2f}", flush=True)


if __name__ == "__main__":
    main()
