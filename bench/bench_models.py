"""What benches on models share: which models, their data, and the cost of a process."""
import argparse
import os
import pathlib
import time

PROGRAM = "tools/zeropoint/zeropoint"


def parser_of(description):
    """A parser that knows --models, which `chosen` understands, and --json."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", type=pathlib.Path)
    parser.add_argument("--json", action="store_true", help="one JSON line a model and measure")
    return parser


def chosen(options):
    """The models named, or those in examples/data."""
    if not options.models:
        return sorted(pathlib.Path.cwd().glob("examples/data/*/model.onnx"))
    # bazel run starts the program in its own folder
    called_from = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", pathlib.Path.cwd()))
    return [(called_from / model).resolve() for model in options.models]


def data_of(model):
    """(name, folder with calib.npz) of DIR/model.onnx, or of DIR/models/NAME.onnx with DIR/data/NAME."""
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


def measure_best(commands, rounds):
    """By tool: the least seconds and bytes of `rounds` rounds, in which the commands run in turn."""
    best = {}
    for _ in range(rounds):
        for tool, command in commands.items():
            measured = measure(command)
            best[tool] = [min(pair) for pair in zip(best.get(tool, measured), measured)]
    return best
