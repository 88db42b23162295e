"""`zeropoint evaluate` beside pycocotools and numpy."""
import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import numpy as np
import onnx
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from support import onnxruntime_outputs, shipped_models, zeropoint

NAMES = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]


def pycocotools_scores(annotations, detections):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(annotations))
        evaluation = COCOeval(truth, truth.loadRes(str(detections)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(NAMES, evaluation.stats))


def data_set(random):
    """Objects of all sizes, crowds, ties of scores, empty images, categories without objects, too many detections."""
    images = random.integers(1, 8)
    categories = [int(c) for c in random.choice(90, size=random.integers(1, 5), replace=False) + 1]
    truth = {"info": {}, "images": [{"id": 10 * i + 3, "width": 640, "height": 480} for i in range(images)],
             "categories": [{"id": c, "name": str(c)} for c in categories], "annotations": []}
    detections = []
    for image in truth["images"]:
        for _ in range(random.integers(0, 9)):
            width, height = np.exp(random.uniform(1, 5.5, size=2))
            box = [float(v) for v in (random.uniform(0, 600), random.uniform(0, 440), width, height)]
            category = int(random.choice(categories))
            truth["annotations"].append({
                "id": len(truth["annotations"]) + 1, "image_id": image["id"], "category_id": category, "bbox": box,
                "area": float(width * height * random.uniform(0.4, 1)), "iscrowd": int(random.random() < 0.15)})
            for _ in range(random.integers(0, 4)):
                shift = random.normal(scale=0.08, size=4) * [width, height, width, height]
                detections.append({
                    "image_id": image["id"],
                    "category_id": category if random.random() < 0.8 else int(random.choice(categories)),
                    "bbox": [max(0.0, float(v)) for v in np.array(box) + shift], "score": round(float(random.random()), 1)})
        if random.random() < 0.05:
            for _ in range(130):
                x, y = random.uniform(0, 400, size=2)
                detections.append({"image_id": image["id"], "category_id": categories[0], "score": round(float(random.random()), 2),
                                   "bbox": [float(x), float(y), 60.0, 40.0]})
    return truth, detections


class Coco(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.annotations, self.detections = self.folder / "truth.json", self.folder / "found.json"

    def write(self, truth, detections):
        self.annotations.write_text(json.dumps(truth))
        self.detections.write_text(json.dumps(detections))

    def evaluate(self, **options):
        return zeropoint("evaluate", "coco", "--annotations", self.annotations, "--detections", self.detections, "--json",
                         **options)

    def test_all_numbers_are_pycocotools(self):
        random = np.random.default_rng(17)
        compared = 0
        while compared < 200:
            truth, detections = data_set(random)
            if not detections:
                continue  # pycocotools cannot read an empty list
            self.write(truth, detections)
            expected = pycocotools_scores(self.annotations, self.detections)
            found = json.loads(self.evaluate().stdout)
            self.assertEqual(NAMES, list(found))
            for name in NAMES:
                self.assertAlmostEqual(expected[name], found[name], delta=1e-12, msg=f"{name} of set {compared}")
            compared += 1

    def test_nothing_found_is_zero(self):
        truth, _ = data_set(np.random.default_rng(3))
        self.write(truth, [])
        self.assertEqual(0.0, json.loads(self.evaluate().stdout)["AP"])

    def test_bad_files_are_named(self):
        truth, detections = data_set(np.random.default_rng(4))
        for what, change in (("image_id", {"image_id": 99999}), ("bbox", {"bbox": [1, 2, 3]}), ("score", {"score": "high"})):
            with self.subTest(what):
                self.write(truth, [{**detections[0], **change}])
                result = self.evaluate(check=False)
                self.assertEqual(1, result.returncode)
                self.assertIn("found.json", result.stderr)
        self.annotations.write_text("{")
        self.assertIn("truth.json", self.evaluate(check=False).stderr)


def pixel_detector(path):
    """Reads its answer off the image: the first row holds a box (left, top, right, bottom in pixels of the 64 x 64 input) and
    the scores of two classes."""
    helper, types = onnx.helper, onnx.TensorProto
    nodes = []
    constants = [onnx.numpy_helper.from_array(np.array(value, np.int64), name) for name, value in (
        ("axes", [1, 2, 3]), ("at", [0, 0, 0]), ("box_end", [1, 1, 4]), ("score_at", [0, 0, 4]), ("score_end", [1, 1, 6]),
        ("channel", [1]))]
    for name, begin, end in (("boxes", "at", "box_end"), ("scores", "score_at", "score_end")):
        nodes += [helper.make_node("Slice", ["x", begin, end, "axes"], [f"{name}_row"]),
                  helper.make_node("Squeeze", [f"{name}_row", "channel"], [name])]
    graph = helper.make_graph(
        nodes, "detector", [helper.make_tensor_value_info("x", types.FLOAT, ["N", 3, 64, 64])],
        [helper.make_tensor_value_info("boxes", types.FLOAT, ["N", 1, 4]),
         helper.make_tensor_value_info("scores", types.FLOAT, ["N", 1, 2])], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


class Detector(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        random = np.random.default_rng(23)
        images = 5
        # Images of 128 x 32, stretched: a box of the input is twice as wide, and half as high, in the image.
        self.truth = {"info": {}, "images": [{"id": 7 + i, "width": 128, "height": 32} for i in range(images)],
                      "categories": [{"id": 4, "name": "cat"}, {"id": 9, "name": "dog"}], "annotations": []}
        x = np.zeros((images, 1, 3, 64, 64), np.float32)
        self.expected = []
        for i in range(images):
            left, top = random.integers(0, 30, size=2)
            right, bottom = left + random.integers(8, 30), top + random.integers(8, 30)
            scores = [float(v) for v in np.float32(random.uniform(0.1, 0.9, size=2))]
            x[i, 0, 0, 0, :6] = [left, top, right, bottom, *scores]
            box = [float(v) for v in (2 * left, top / 2, 2 * (right - left), (bottom - top) / 2)]
            self.truth["annotations"].append({"id": i + 1, "image_id": 7 + i, "category_id": 4 if i % 2 else 9, "iscrowd": 0,
                                              "bbox": box, "area": box[2] * box[3]})
            for category, score in sorted(zip((4, 9), scores), key=lambda each: -each[1]):
                self.expected.append({"image_id": 7 + i, "category_id": category, "bbox": box, "score": score})
        np.savez(self.folder / "images.npz", x=x, __image_id__=np.arange(7, 7 + images))
        (self.folder / "truth.json").write_text(json.dumps(self.truth))
        pixel_detector(self.folder / "detector.onnx")

    def evaluate(self, *options, **others):
        return zeropoint("evaluate", "coco", self.folder / "detector.onnx", "--data", self.folder / "images.npz", "--annotations",
                         self.folder / "truth.json", "--json", *options, **others)

    def test_boxes_come_back_to_the_image_and_are_scored(self):
        for batch in (1, 2):
            with self.subTest(batch=batch):
                result = self.evaluate("--decoder", "boxes", "--fit", "stretch", "--batch-size", batch, "--save-detections",
                                       self.folder / "found.json")
                found = json.loads((self.folder / "found.json").read_text())
                self.assertEqual(found, self.expected)
                scores = json.loads(result.stdout)
                expected = pycocotools_scores(self.folder / "truth.json", self.folder / "found.json")
                for name in NAMES:
                    self.assertAlmostEqual(scores[name], expected[name], delta=1e-12, msg=name)

    def test_classes_go_by_name(self):
        (self.folder / "names.txt").write_text("dog\ncat\n")
        self.evaluate("--decoder", "boxes", "--fit", "stretch", "--class-names", self.folder / "names.txt", "--save-detections",
                      self.folder / "found.json")
        found = json.loads((self.folder / "found.json").read_text())
        exchanged = [{**each, "category_id": 13 - each["category_id"]} for each in self.expected]
        self.assertEqual(found, exchanged)

    def test_what_is_missing_is_said(self):
        for options, message in (
                (["--decoder", "boxes"], "stretched or letterboxed"),
                (["--fit", "stretch"], "--decoder"),
                (["--decoder", "yolov8", "--fit", "stretch"], "outputs"),
                (["--decoder", "boxes", "--detections", "x.json"], "Either a MODEL")):
            with self.subTest(options):
                result = self.evaluate(*options, check=False)
                self.assertNotEqual(0, result.returncode)
                self.assertIn(message, result.stderr)
                self.assertFalse((self.folder / "found.json").exists())


class TopK(unittest.TestCase):
    def test_accuracy_is_that_of_the_outputs(self):
        model = next(m for m in shipped_models() if m.name == "mnist_dwcnn")
        result = zeropoint("evaluate", "top-k", model.path, *model.source("eval"), "--limit", 64, "--k", "1,3", "--json")
        found = json.loads(result.stdout)
        labels = np.load(model.data / "eval.npz")["__labels__"][:64]
        outputs, _ = onnxruntime_outputs(model.path, model.feeds("eval", 64))
        scores = np.stack([np.ravel(of_sample[0]) for of_sample in outputs])
        order = np.argsort(-scores, axis=1, kind="stable")
        self.assertEqual(64, found["samples"])
        for k in (1, 3):
            self.assertAlmostEqual(float((order[:, :k] == labels[:, None]).any(axis=1).mean()), found["outputs"][0][f"top{k}"])

    def test_without_labels_it_says_so(self):
        model = shipped_models()[0]
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder) / "data.npz"
            np.savez(data, **{name: value for name, value in np.load(model.data / "eval.npz").items() if name[:2] != "__"})
            result = zeropoint("evaluate", "top-k", model.path, "--data", data, *model.source("eval")[2:], check=False)
        self.assertEqual(1, result.returncode)
        self.assertIn("__labels__", result.stderr)


if __name__ == "__main__":
    unittest.main()
