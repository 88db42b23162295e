"""Calibration states: the same bytes however the work was split, stopped or resumed; and tables that ONNX Runtime's own
tool writes and reads."""
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import time
import unittest

import numpy as np
import onnx
from onnxruntime.quantization import CalTableFlatBuffers  # noqa: F401  the generated readers come with the tool
from onnxruntime.quantization.CalTableFlatBuffers.TrtTable import TrtTable
from onnxruntime.quantization.calibrate import TensorData, load_tensors_data
from onnxruntime.quantization.quant_utils import write_calibration_table

from support import AT_ANY_SPEED, PROGRAM, shipped_models, zeropoint

KILLS = int(os.environ.get("ZEROPOINT_KILLS", "50"))
MAGNITUDES = ("flatbuffers", "cache", "trt")


class CalibrationTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.model = shipped_models()[0]

    def arguments(self, output, *options, model=None, limit=24):
        model = model or self.model
        return ["calibrate", model.path, *model.source("calib"), "--limit", limit, "-o", output, *options]

    def calibrate(self, name, *options, **kwargs):
        output = self.folder / name
        zeropoint(*self.arguments(output, *options, **kwargs))
        return output


class Splits(CalibrationTest):
    def test_shards_merged_in_any_order_are_one_process(self):
        whole = self.calibrate("whole.zpcal").read_bytes()
        for count in (1, 2, 7):
            shards = [self.calibrate(f"{count}.{k}.zpcal", "--shard", f"{k}/{count}") for k in range(count)]
            random.Random(count).shuffle(shards)
            merged = self.folder / f"{count}.zpcal"
            zeropoint("merge", *shards, "-o", merged)
            self.assertEqual(whole, merged.read_bytes(), f"{count} shards")

    def test_threads_do_not_matter(self):
        one, two = (self.calibrate(f"threads{n}.zpcal", "--threads", n).read_bytes() for n in (1, 2))
        self.assertEqual(one, two)

    def test_kill_at_any_moment_then_resume(self):
        whole = self.calibrate("whole.zpcal").read_bytes()
        output = self.folder / "killed.zpcal"
        command = [str(PROGRAM), *map(str, self.arguments(output, "--resume", "--checkpoint", 0))]
        start = time.monotonic()
        self.run_once(command)
        duration = time.monotonic() - start
        self.assertEqual(whole, output.read_bytes())
        moments = random.Random(1)
        kills = stopped_early = 0
        while kills < KILLS:
            output.unlink(missing_ok=True)
            while True:
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                try:
                    process.communicate(timeout=moments.uniform(0, duration))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.communicate()
                    kills += 1
                    stopped_early += output.exists() and output.read_bytes() != whole
                    if kills % 5 != 0:
                        continue  # kill the resumed run too
                self.run_once(command)
                break
            self.assertEqual(whole, output.read_bytes(), f"after {kills} kills")
            for leftover in self.folder.glob("*.partial"):
                leftover.unlink()
        self.assertGreater(stopped_early, 0, "no kill came between the first checkpoint and the end")

    def run_once(self, command):
        subprocess.run(command, check=True, capture_output=True, timeout=300)

    def test_resume_of_a_finished_run_changes_nothing(self):
        output = self.calibrate("a.zpcal")
        before = output.read_bytes()
        self.calibrate("a.zpcal", "--resume")
        self.assertEqual(before, output.read_bytes())

    def test_strangers_are_refused(self):
        first = self.calibrate("0.zpcal", "--shard", "0/2", limit=4)
        for name, other, word in (
                ("overlap", self.calibrate("all.zpcal", limit=4), "count twice"),
                ("model", self.calibrate("other.zpcal", model=shipped_models()[1], limit=4), "different models"),
                ("profile", self.calibrate("profile.zpcal", "--shard", "1/2", "--profile", "openvino", limit=4),
                 "prepared differently")):
            with self.subTest(name):
                result = zeropoint("merge", first, other, "-o", self.folder / "x.zpcal", check=False)
                self.assertEqual(1, result.returncode)
                self.assertIn(word, result.stderr)
                self.assertFalse((self.folder / "x.zpcal").exists())

    def test_resume_refuses_what_is_no_beginning_of_the_run(self):
        output = self.calibrate("a.zpcal", "--shard", "1/2", limit=4)
        result = zeropoint(*self.arguments(output, "--resume", limit=4), check=False)
        self.assertEqual(1, result.returncode)
        self.assertIn("--shard", result.stderr)

    def test_events_are_lines_of_json(self):
        output = self.folder / "a.zpcal"
        result = zeropoint(*self.arguments(output, "--json", "--checkpoint", 0, "--threads", 1, limit=3))
        events = [json.loads(line) for line in result.stderr.splitlines()]
        self.assertEqual(["started", *["checkpoint"] * 3, "finished"], [event["event"] for event in events])
        report = json.loads(result.stdout)
        self.assertEqual(3, report["samples"])
        self.assertIn("unsettled_share", report["calibration"])

    def test_memory_does_not_grow_with_the_samples(self):
        peaks = [json.loads(zeropoint(*self.arguments(self.folder / "a.zpcal", "--json", limit=limit)).stdout)
                 ["peak_rss_bytes"] for limit in (8, 32, 64)]
        self.assertLess(max(peaks) - min(peaks), 4 << 20, peaks)


class Rules(CalibrationTest):
    def test_a_rule_chosen_afterwards_is_the_rule_chosen_at_once(self):
        state = self.calibrate("a.zpcal")
        # what needs samples besides ranges
        ranges_alone = "--rounding", "nearest", "--tune", "off"
        for rule in ("minmax", "percentile:99.9", "entropy", "mse", "moments:4"):
            with self.subTest(rule):
                at_once, afterwards = self.folder / "once.onnx", self.folder / "after.onnx"
                zeropoint("static", *AT_ANY_SPEED, self.model.path, *self.model.source("calib"), "--limit", 24, "--calibration", rule,
                          *ranges_alone, "-o", at_once)
                zeropoint("static", *AT_ANY_SPEED, self.model.path, "--table", state, "--calibration", rule, *ranges_alone, "-o", afterwards)
                self.assertEqual(at_once.read_bytes(), afterwards.read_bytes())
                onnx.checker.check_model(str(afterwards))

    def test_moving_average_runs_and_is_named(self):
        output = self.folder / "a.onnx"
        result = zeropoint("static", *AT_ANY_SPEED, self.model.path, *self.model.source("calib"), "--limit", 8, "--calibration",
                           "moving-average:0.1", "-o", output, "--json")
        self.assertEqual("moving-average:0.1", json.loads(result.stdout)["calibration"]["method"])

    def test_a_state_of_another_model_is_refused(self):
        state = self.calibrate("a.zpcal", limit=2)
        result = zeropoint("static", *AT_ANY_SPEED, shipped_models()[1].path, "--table", state, "-o", self.folder / "x.onnx",
                           check=False)
        self.assertEqual(1, result.returncode)
        self.assertIn("another model", result.stderr)

    def test_static_needs_samples_or_ranges(self):
        result = zeropoint("static", *AT_ANY_SPEED, self.model.path, "-o", self.folder / "x.onnx", check=False)
        self.assertEqual(2, result.returncode)
        result = zeropoint("static", *AT_ANY_SPEED, self.model.path, *self.model.source("calib"), "--calibration", "percentile:101",
                           "-o", self.folder / "x.onnx", check=False)
        self.assertEqual(2, result.returncode)


class Tables(CalibrationTest):
    """Ours in ONNX Runtime's readers, its own in ours."""

    def table(self, ending, *options):
        output = self.folder / f"calibration.{ending}"
        zeropoint("table", self.calibrate("t.zpcal", limit=4), "-o", output, *options)
        return output

    def ranges(self):
        return {name: (entry["lowest"]["data"], entry["highest"]["data"])
                for name, entry in json.loads(self.table("json").read_text()).items()}

    def read_flatbuffers(self, path):
        table = TrtTable.GetRootAsTrtTable(path.read_bytes(), 0)
        return {table.Dict(i).Key().decode(): table.Dict(i).Value().decode() for i in range(table.DictLength())}

    def test_onnxruntime_reads_our_flatbuffers(self):
        ranges = self.ranges()
        entries = self.read_flatbuffers(self.table("flatbuffers"))
        self.assertEqual(sorted(ranges), list(entries), "sorted by name")
        for name, value in entries.items():
            self.assertEqual(np.float32(max(map(abs, ranges[name]))), np.float32(float(value)), name)

    def test_onnxruntime_reads_our_json_cache(self):
        ranges = self.ranges()
        tensors = load_tensors_data(self.table("json", "--format", "json-cache", "--rule", "entropy"))
        self.assertEqual(set(ranges), set(tensors.data))
        for name, data in tensors.data.items():
            low, high = data.range_value
            self.assertLessEqual(ranges[name][0], low)
            self.assertGreaterEqual(ranges[name][1], high)

    def test_we_read_what_onnxruntime_writes(self):
        # Ranges whose greatest end is the magnitude: its writer leaves the absolute value out.
        ranges = {name: (np.float32(-min(abs(low), high)), np.float32(high)) for name, (low, high) in
                  self.ranges().items() if high > 0}
        written = {name: TensorData(lowest=np.array(low), highest=np.array(high)) for name, (low, high) in
                   ranges.items()}
        write_calibration_table(written, str(self.folder))
        reports = {}
        for ending in ("json", "flatbuffers", "cache"):
            output = self.folder / f"{ending}.onnx"
            result = zeropoint("static", *AT_ANY_SPEED, self.model.path, "--table", self.folder / f"calibration.{ending}", "-o", output,
                               "--json", "--activations", "i8:sym")
            onnx.checker.check_model(str(output))
            reports[ending] = json.loads(result.stdout)["tensors"]
        self.assertTrue(reports["json"])
        scales = [[(tensor["name"], tensor["scale"]) for tensor in report] for report in reports.values()]
        self.assertEqual(scales[1], scales[2])
        self.assertEqual(scales[0], scales[1])

    def test_every_table_quantizes_without_data(self):
        scales = {}
        for ending in ("json", *MAGNITUDES):
            output = self.folder / f"{ending}.onnx"
            result = zeropoint("static", *AT_ANY_SPEED, self.model.path, "--table", self.table(ending), "-o", output, "--json")
            scales[ending] = {tensor["name"]: tensor["scale"] for tensor in json.loads(result.stdout)["tensors"]}
            self.assertTrue(scales[ending])
        self.assertEqual(scales["flatbuffers"], scales["cache"])
        for name, scale in scales["trt"].items():
            self.assertAlmostEqual(1.0, scale / scales["cache"][name], places=5)

    def test_pairs_and_objects_say_the_same(self):
        ranges = self.ranges()
        pairs = json.loads(self.table("json", "--format", "json-pairs").read_text())
        self.assertEqual(ranges, {name: tuple(pair) for name, pair in pairs.items()})

    def test_a_table_with_a_calibration_rule_is_a_contradiction(self):
        result = zeropoint("static", *AT_ANY_SPEED, self.model.path, "--table", self.table("cache"), "--calibration", "entropy", "-o",
                           self.folder / "x.onnx", check=False)
        self.assertEqual(1, result.returncode)
        self.assertIn("holds ranges already", result.stderr)


if __name__ == "__main__":
    unittest.main()
