"""python_bench: a bench that stands beside ONNX Runtime, in the virtual environment of tools/setup.sh test."""

def python_bench(name, data = [], on_models = True):
    """The program `name`.py, run where the workspace's files are.

    Args:
      name: of the target and, with .py, of the script.
      data: further files that it reads.
      on_models: whether it runs //tools/zeropoint on models.
    """
    script = name + ".py"
    models = [
        "//bench:bench_models.py",
        "//examples/data:mnist_dwcnn",
        "//examples/data:ppocr_cls",
        "//tools:samples.py",
        "//tools/zeropoint",
    ]
    native.sh_binary(
        name = name,
        srcs = ["//bench:in_venv.sh"],
        args = ["{}/{}".format(native.package_name(), script)],
        data = data + [script] + (models if on_models else []),
    )
