"""What each remedy against the loss of quantization is worth: a model quantized with all of them, and without each in turn.

    bazel run -c opt //bench/accuracy -- [--models A.onnx B.onnx ...] [--samples 32] [--json]

Where models and data are: as in //bench/end_to_end. SQNR of the first output in dB, and the share of samples whose greatest
output is where the float model has it, in ONNX Runtime with default optimizations, on 64 samples that calibration has not seen.
Everything that the profile can quantize is quantized, at any speed, so that the remedies have something to cure.
"""
import json
import subprocess
import tempfile

import numpy as np
import onnxruntime

import samples
from bench_models import PROGRAM, chosen, data_of, parser_of

EVALUATED = 64

# What is left out, by the options that do so; the last one is what tools do without any remedy.
VARIANTS = {
    "all remedies": [],
    "no tuning": ["--tune", "off"],
    "nearest rounding": ["--tune", "off", "--rounding", "nearest"],
    "no bias correction": ["--tune", "off", "--bias-correction", "off"],
    "no equalization": ["--equalize", "off"],
    "min-max ranges": ["--tune", "off", "--calibration", "minmax"],
    "entropy ranges": ["--tune", "off", "--calibration", "entropy"],
    "16-bit activations": ["--tune", "off", "--activations", "u16:asym"],
    "no remedy": ["--tune", "off", "--rounding", "nearest", "--bias-correction", "off", "--calibration", "minmax"],
}


def first_outputs(path, feeds):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return [session.run(None, feed)[0] for feed in feeds]


def score(reference, outputs):
    """(SQNR in dB over all samples, share of samples with the same greatest element)"""
    signal = sum(float(np.square(each, dtype=np.float64).sum()) for each in reference)
    noise = sum(float(np.square(np.subtract(a, b, dtype=np.float64)).sum()) for a, b in zip(reference, outputs))
    agreeing = sum(int(a.argmax() == b.argmax()) for a, b in zip(reference, outputs))
    return 10 * np.log10(signal / max(noise, 1e-30)), agreeing / len(reference)


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--samples", type=int, default=32, help="calibration samples")
    options = parser.parse_args()
    onnxruntime.set_default_logger_severity(3)
    for model in chosen(options):
        name, folder = data_of(model)
        feeds = samples.load(folder / "eval.npz", EVALUATED)
        reference = first_outputs(model, feeds)
        for variant, leave_out in VARIANTS.items():
            with tempfile.TemporaryDirectory() as scratch:
                output = f"{scratch}/q.onnx"
                subprocess.run([PROGRAM, "static", str(model), "--data", str(folder / "calib.npz"), "--limit",
                                str(options.samples), "--if-slower", "quantize", "-o", output, "--quiet", *leave_out,
                                *samples.preprocess_options(folder)], check=True)
                decibel, agreement = score(reference, first_outputs(output, feeds))
            if options.json:
                print(json.dumps({"name": "accuracy", "model": name, "variant": variant, "value": decibel, "unit": "dB",
                                  "agreement": agreement}), flush=True)
            else:
                print(f"{name:20}{variant:22}{decibel:7.1f} dB{100 * agreement:8.1f} %", flush=True)


if __name__ == "__main__":
    main()
