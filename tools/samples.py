"""Reads samples as the program reads them: an .npz and, beside it, preprocess.json. For tests and benches in Python."""
import json
import pathlib

import numpy as np


def preprocess_options(folder):
    """The program's options for data in `folder`."""
    path = pathlib.Path(folder) / "preprocess.json"
    return ["--preprocess", str(path)] if path.exists() else []


def load(npz, limit=None):
    """One {input: array} a sample, decoded by the preprocess.json beside the archive."""
    npz = pathlib.Path(npz)
    rules = npz.parent / "preprocess.json"
    inputs = json.loads(rules.read_text())["inputs"] if rules.exists() else {}
    with np.load(npz) as archive:
        arrays = {key: archive[key] for key in archive.files if not key.startswith("__")}
    count = min(len(array) for array in arrays.values())
    return [{key: decoded(array[sample], inputs.get(key)) for key, array in arrays.items()}
            for sample in range(min(count, limit or count))]


def decoded(array, rule):
    """float = stored * scale + offset, each a number or one a channel (axis 1); or a cast."""
    if rule is None:
        return array
    if "cast" in rule:
        return array.astype(rule["cast"])

    def along_channels(value):
        value = np.asarray(value, np.float32)
        return value.reshape(1, -1, *[1] * (array.ndim - 2)) if value.ndim else value

    return array.astype(np.float32) * along_channels(rule["scale"]) + along_channels(rule["offset"])
