"""`mpirun zeropoint calibrate`: the bytes of one process, and what is left when a rank ends early."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import numpy as np
from onnx import numpy_helper

from support import PROGRAM, shipped_models, zeropoint

ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
SAMPLES = 24


def started(ranks, arguments):
    return subprocess.Popen(["mpirun", "-n", str(ranks), "--oversubscribe", str(PROGRAM), *map(str, arguments)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)


def mpirun(ranks, arguments):
    process = started(ranks, arguments)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


class MpiTest(unittest.TestCase):
    def setUp(self):
        self.assertTrue(shutil.which("mpirun"), "tools/setup.sh test installs Open MPI")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.output = self.folder / "state.zpcal"
        self.model = shipped_models()[0]

    def arguments(self, *options, output=None, limit=SAMPLES):
        return ["calibrate", self.model.path, *self.model.source("calib"), "--limit", limit, "-o", output or self.output,
                *options]

    def whole(self, limit=SAMPLES):
        output = self.folder / "whole.state"
        zeropoint(*self.arguments(output=output, limit=limit))
        return output.read_bytes()

    def rank_states(self):
        return sorted(path.name for path in self.folder.glob("state.*-of-*.zpcal"))


class OneState(MpiTest):
    def test_ranks_are_one_process(self):
        whole = self.whole()
        for ranks in (1, 2, 4):
            with self.subTest(ranks=ranks):
                result = mpirun(ranks, self.arguments("--json"))
                self.assertEqual(0, result.returncode, result.stderr)
                self.assertEqual(whole, self.output.read_bytes())
                self.assertEqual(SAMPLES, json.loads(result.stdout)["samples"], "printed once, of the whole")
                self.assertEqual([], self.rank_states())
                self.output.unlink()

    def test_ranks_divide_a_shard_further(self):
        for shard in (0, 1):
            result = mpirun(2, self.arguments("--shard", f"{shard}/2", output=self.folder / f"{shard}.zpcal"))
            self.assertEqual(0, result.returncode, result.stderr)
        zeropoint("merge", self.folder / "1.zpcal", self.folder / "0.zpcal", "-o", self.output)
        self.assertEqual(self.whole(), self.output.read_bytes())

    def test_batches(self):
        data = self.arguments("--batch-size", 3, "--skip", 1, limit=19)
        zeropoint(*data)
        whole = self.output.read_bytes()
        result = mpirun(3, data)
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertEqual(whole, self.output.read_bytes())

    def test_resume_of_a_finished_run_changes_nothing(self):
        mpirun(2, self.arguments())
        before = self.output.read_bytes()
        result = mpirun(2, self.arguments("--resume", "--json"))
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertEqual(SAMPLES, json.loads(result.stdout)["samples"])
        self.assertEqual(before, self.output.read_bytes())


class Failures(MpiTest):
    def test_a_killed_rank_leaves_the_states_of_the_others(self):
        options = "--json", "--checkpoint", 0
        limit = 64  # each rank has enough to do to be met at work
        whole = self.whole(limit)
        process = started(4, self.arguments(*options, limit=limit))
        victim = self.wait_for_a_state_and_kill(process)
        _, errors = process.communicate(timeout=300)
        self.assertNotEqual(0, process.returncode)
        self.assertIn("killed", errors.lower(), "mpirun names the rank and the signal")
        self.assertFalse(self.output.exists())
        self.assertTrue(set(self.rank_states()) - {victim})
        result = mpirun(4, self.arguments("--resume", *options, limit=limit))
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertIn('"resumed"', result.stderr)
        self.assertEqual(whole, self.output.read_bytes())
        self.assertEqual([], self.rank_states())

    def wait_for_a_state_and_kill(self, process):
        """Kills one rank as soon as another has saved a state; returns the name of the killed one's."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            states = self.rank_states()
            for task in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    environment = (task / "environ").read_bytes()
                    command = (task / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(self.output).encode() not in command or b"OMPI_COMM_WORLD_RANK=" not in environment:
                    continue
                rank = environment.split(b"OMPI_COMM_WORLD_RANK=")[1].split(b"\0")[0].decode()
                name = f"state.{rank}-of-4.zpcal"
                if set(states) - {name}:
                    os.kill(int(task.name), signal.SIGKILL)
                    return name
            self.assertIsNone(process.poll(), "the run was over before a rank could be killed")
        return self.fail("no rank has saved a state")

    def test_a_bad_sample_is_named_and_the_rest_is_kept(self):
        source = dict(np.load(self.model.data / "calib.npz"))
        name = next(key for key in source if not key.startswith("__"))
        for sample in range(6):
            folder = self.folder / "data" / f"test_data_set_{sample}"
            folder.mkdir(parents=True)
            if sample != 4:
                self.write_sample(folder / "input_0.pb", name, source[name][sample])
            else:
                (folder / "input_0.pb").write_bytes(b"damaged")
        arguments = ["calibrate", self.model.path, "--data", self.folder / "data", "-o", self.output]
        result = mpirun(3, arguments)
        self.assertEqual(1, result.returncode, result.stderr)
        self.assertIn("rank 2 of 3", result.stderr)
        self.assertIn("test_data_set_4", result.stderr)
        self.assertIn("--resume", result.stderr)
        self.assertFalse(self.output.exists())
        self.assertEqual(["state.0-of-3.zpcal", "state.1-of-3.zpcal"], self.rank_states())
        # another number of ranks would not find them
        result = mpirun(2, [*arguments, "--resume"])
        self.assertEqual(1, result.returncode)
        self.assertIn("another number of ranks", result.stderr)
        # mended, it goes on
        self.write_sample(self.folder / "data/test_data_set_4/input_0.pb", name, source[name][4])
        result = mpirun(3, [*arguments, "--resume"])
        self.assertEqual(0, result.returncode, result.stderr)
        merged = self.output.read_bytes()
        zeropoint(*arguments)
        self.assertEqual(self.output.read_bytes(), merged)

    def write_sample(self, path, name, sample):
        values = sample.astype(np.float32)[None] if sample.ndim == 3 else sample.astype(np.float32)
        path.write_bytes(numpy_helper.from_array(values, name).SerializeToString())

    def test_more_ranks_than_samples(self):
        result = mpirun(4, self.arguments(limit=2))
        self.assertEqual(1, result.returncode)
        self.assertIn("use fewer ranks", result.stderr)
        self.assertFalse(self.output.exists())

    def test_a_missing_model_is_said_by_one_rank(self):
        result = mpirun(2, ["calibrate", self.folder / "none.onnx", "--data", "synthetic:4", "-o", self.output])
        self.assertEqual(1, result.returncode)
        self.assertEqual(1, result.stderr.count("zeropoint: "), result.stderr)
        self.assertIn("none.onnx", result.stderr)


class Stopping(MpiTest):
    def test_sigterm_saves_what_is_done(self):
        """Schedulers send it some time before they kill; without mpirun, too."""
        whole = self.whole()
        command = [str(PROGRAM), *map(str, self.arguments("--resume", "--checkpoint", 3600, "--json"))]
        stopped = 0
        for attempt in range(40):
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            process.stderr.readline()  # "started": from here on signals are heeded
            time.sleep(0.002 * attempt)
            process.terminate()
            _, errors = process.communicate(timeout=300)
            if process.returncode == 0:
                break
            if "stopped by signal 15" in errors:
                stopped += self.output.exists()
        else:
            zeropoint(*command[1:])
        self.assertGreater(stopped, 0, "no signal met the run at work")
        self.assertEqual(whole, self.output.read_bytes())


if __name__ == "__main__":
    unittest.main()
