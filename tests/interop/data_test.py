"""Samples beside Pillow and NumPy: what `zeropoint run` feeds is what a Python program would feed.

The model hands its input through, so its output is what was fed.
"""
import json
import pathlib
import tempfile
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper
from PIL import Image

from support import zeropoint


def plain_resize(pixels, width, height, kernel, support):
    """Antialiased resampling by its definition, in double: columns, then rows, each rounded to bytes."""
    def along_rows(array, to):
        ratio = array.shape[0] / to
        stretch = max(ratio, 1.0)
        weights = np.zeros((to, array.shape[0]))
        for i in range(to):
            for k in range(array.shape[0]):
                distance = abs((k + 0.5) - (i + 0.5) * ratio) / stretch
                weights[i, k] = kernel(distance) if distance < support else 0.0
        weights /= weights.sum(axis=1, keepdims=True)
        return np.clip(np.round(np.tensordot(weights, array, 1)), 0, 255)

    wide = along_rows(pixels.astype(np.float64).transpose(1, 0, 2), width).transpose(1, 0, 2)
    return along_rows(wide, height)


KERNELS = {
    "bilinear": (lambda x: 1 - x, 1),
    "bicubic": (lambda x: 1.5 * x**3 - 2.5 * x**2 + 1 if x < 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 2),
}
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def resized(picture, width, height, resampling):
    """Pillow's result, columns first. (Of itself, Pillow 13 takes the rows of tall images first, which moves some pixels by 1.)"""
    return picture.resize((width, picture.height), resampling).resize((width, height), resampling)


class Data(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.images = self.folder / "images"
        self.images.mkdir()
        self.model = self.folder / "model.onnx"
        self.save_model(TensorProto.FLOAT, ["n", "a", "b", "c"])
        self.random = np.random.default_rng(1)

    def save_model(self, element, shape):
        graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "through",
                                  [helper.make_tensor_value_info("x", element, shape)],
                                  [helper.make_tensor_value_info("y", element, shape)])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(self.model))

    def picture(self, width, height, channels=3):
        """Smooth shapes with some noise, as a photograph has."""
        y, x = np.mgrid[0:height, 0:width]
        layers = [127 + 90 * np.sin(x / (5 + c) + c) * np.cos(y / (7 + c)) for c in range(channels)]
        noise = self.random.integers(-20, 20, (height, width, channels))
        return np.clip(np.stack(layers, -1) + noise, 0, 255).astype(np.uint8)

    def fed(self, *options, data=None, steps=None):
        """The samples that were fed, [samples, ...]; `steps` are those of the input x."""
        if steps is not None:
            file = self.folder / "preprocess.json"
            file.write_text(json.dumps({"inputs": {"x": steps}}))
            options += ("--preprocess", file)
        output = self.folder / "out.npz"
        output.unlink(missing_ok=True)
        zeropoint("run", self.model, "--data", data or self.images, "-o", output, *options)
        return np.load(output)["y"]

    def pixels(self, steps=None):
        """The only image as [H, W, C] after `steps`."""
        fed = self.fed(steps={"scale": 1, "layout": "nhwc", **(steps or {})})
        self.assertEqual((1, 1), fed.shape[:2])
        return fed[0, 0]

    def test_png_is_decoded_exactly(self):
        rgb, gray = self.picture(37, 23), self.picture(37, 23, 1)[..., 0]
        kinds = {
            "rgb": Image.fromarray(rgb),
            "gray": Image.fromarray(gray),
            "rgba": Image.fromarray(np.dstack([rgb, gray])),
            "gray and alpha": Image.fromarray(np.dstack([gray, gray[::-1]])),
            "palette": Image.fromarray(rgb).quantize(200),
            "palette of 4 bits": Image.fromarray(rgb).quantize(12),
            "black and white": Image.fromarray(gray > 127),
        }
        for name, image in kinds.items():
            with self.subTest(name):
                image.save(self.images / "a.png")
                np.testing.assert_array_equal(np.asarray(image.convert("RGB")), self.pixels())

    def test_jpeg_is_decoded_nearly(self):
        for channels in (1, 3):
            for options in ({"quality": 90}, {"quality": 60, "progressive": True}, {"quality": 95, "subsampling": 0}):
                with self.subTest(channels=channels, **options):
                    picture = self.picture(61, 45, channels)
                    Image.fromarray(picture[..., 0] if channels == 1 else picture).save(self.images / "a.jpg", **options)
                    wanted = np.asarray(Image.open(self.images / "a.jpg").convert("RGB"), np.float32)
                    self.assertLessEqual(np.abs(self.pixels() - wanted).max(), 2)

    def test_gray_is_pillows(self):
        Image.fromarray(self.picture(40, 30)).save(self.images / "a.png")
        wanted = np.asarray(Image.open(self.images / "a.png").convert("L"))
        np.testing.assert_array_equal(wanted, self.pixels({"color": "gray"})[..., 0])

    def test_resize_is_pillows_and_that_of_the_definition(self):
        picture = self.picture(50, 34)
        Image.fromarray(picture).save(self.images / "a.png")
        for name, resampling in FILTERS.items():
            for width, height in ((20, 20), (50, 34), (90, 51), (7, 80), (40, 3), (1, 1)):
                with self.subTest(name, width=width, height=height):
                    got = self.pixels({"resize": {"width": width, "height": height, "filter": name}})
                    wanted = np.asarray(resized(Image.fromarray(picture), width, height, resampling))
                    np.testing.assert_array_equal(wanted, got)
                    plain = plain_resize(picture, width, height, *KERNELS[name])
                    self.assertLessEqual(np.abs(plain - got).max(), 1)

    def test_classification_preprocessing(self):
        """torchvision's: Resize(32), CenterCrop(28), ToTensor, Normalize."""
        picture = self.picture(70, 40)
        Image.fromarray(picture).save(self.images / "a.png")
        mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
        fed = self.fed(steps={"resize": {"short_side": 32}, "crop": {"width": 28, "height": 28}, "scale": 1 / 255,
                              "mean": mean, "std": std})
        resized = np.asarray(Image.fromarray(picture).resize((56, 32), Image.Resampling.BILINEAR))
        real = resized[2:30, 14:42].astype(np.float32) / 255
        wanted = ((real - np.float32(mean)) / np.float32(std)).transpose(2, 0, 1)
        np.testing.assert_allclose(fed[0, 0], wanted, atol=1e-6)

    def test_letterbox(self):
        """That of the YOLO examples."""
        for width, height in ((70, 40), (33, 90), (10, 10)):
            with self.subTest(width=width, height=height):
                picture = Image.fromarray(self.picture(width, height))
                picture.save(self.images / "a.png")
                scale = min(64 / width, 48 / height)
                inner = int(width * scale), int(height * scale)
                wanted = Image.new("RGB", (64, 48), (128, 128, 128))
                wanted.paste(resized(picture, *inner, Image.Resampling.BICUBIC),
                             ((64 - inner[0]) // 2, (48 - inner[1]) // 2))
                got = self.pixels({"letterbox": {"width": 64, "height": 48}, "color": "bgr"})
                np.testing.assert_array_equal(np.asarray(wanted)[..., ::-1], got)

    def test_npy_and_npz_feed_the_same(self):
        array = self.random.normal(size=(5, 1, 2, 3, 4)).astype(np.float32)
        np.save(self.folder / "a.npy", array)
        np.savez_compressed(self.folder / "a.npz", x=array)
        for name in ("a.npy", "a.npz"):
            np.testing.assert_array_equal(array, self.fed(data=self.folder / name))
            np.testing.assert_array_equal(array[1::2], self.fed("--start-index", 1, "--stride", 2,
                                                                data=self.folder / name))

    def test_shuffle_is_a_permutation_whatever_the_source(self):
        self.save_model(TensorProto.UINT8, ["n", 3, 2, 2])
        array = np.repeat(np.arange(12, dtype=np.uint8), 12).reshape(12, 1, 3, 2, 2)
        np.savez_compressed(self.folder / "a.npz", x=array)
        for i in range(12):
            Image.fromarray(np.full((2, 2, 3), i, np.uint8)).save(self.images / f"{i:02}.png")
        orders = set()
        for seed in (0, 1, 1, 2**64 - 1):
            images = self.fed("--shuffle", seed)
            np.testing.assert_array_equal(images, self.fed("--shuffle", seed, data=self.folder / "a.npz"))
            np.testing.assert_array_equal(images[3:8], self.fed("--shuffle", seed, "--skip", 3, "--limit", 5))
            self.assertEqual(list(range(12)), sorted(images[:, 0, 0, 0, 0]))
            orders.add(tuple(images[:, 0, 0, 0, 0]))
        self.assertEqual(3, len(orders))

    def test_batches_feed_the_same_values(self):
        array = self.random.normal(size=(8, 1, 2, 3, 4)).astype(np.float32)
        np.savez(self.folder / "a.npz", x=array)
        fed = self.fed("--batch-size", 4, data=self.folder / "a.npz")
        np.testing.assert_array_equal(array.reshape(2, 4, 2, 3, 4), fed)

    def refuse(self, status, *words, options=()):
        result = zeropoint("run", self.model, "--data", self.images, "-o", self.folder / "out.npz", *options, check=False)
        self.assertEqual(status, result.returncode, result.stderr)
        self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertFalse((self.folder / "out.npz").exists())

    def test_bad_images_are_named(self):
        self.refuse(1, "images", "no .jpg or .png")
        file = self.images / "b.jpg"
        Image.fromarray(self.picture(64, 64)).save(file)
        self.refuse(1, "b.jpg", "--preprocess")
        self.save_model(TensorProto.UINT8, ["n", 3, 64, 64])
        file.write_bytes(file.read_bytes()[:-700])
        self.refuse(1, "b.jpg", "damaged")
        file.write_bytes(b"GIF89a")
        self.refuse(1, "b.jpg", "neither JPEG nor PNG")
        Image.fromarray(self.picture(64, 64)).convert("CMYK").save(file)
        self.refuse(1, "b.jpg", "CMYK")

    def test_wrong_options_are_usage_errors(self):
        for options in (("--stride", "0"), ("--batch-size", "0"), ("--batch-size", "x"), ("--shuffle", "-1"),
                        ("--start-index", "-2"), ("--prefetch", "9999")):
            with self.subTest(options):
                self.refuse(2, options[0], options=options)

    def test_calibration_of_shards_of_a_shuffle_is_that_of_the_whole(self):
        """Also in batches: the shards are batches then."""
        graph = helper.make_graph([helper.make_node("Relu", ["x"], ["r"]), helper.make_node("MatMul", ["r", "w"], ["y"])],
                                  "small", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
                                  [onnx.numpy_helper.from_array(np.eye(4, dtype=np.float32), "w")])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(self.model))
        np.savez(self.folder / "a.npz", x=self.random.normal(size=(23, 1, 4)).astype(np.float32))

        def calibrate(name, *options):
            zeropoint("calibrate", self.model, "--data", self.folder / "a.npz", "-o", self.folder / name, *options)
            return self.folder / name

        for options in (("--shuffle", 3, "--skip", 2), ("--batch-size", 4, "--skip", 1, "--limit", 21),
                        ("--start-index", 2, "--stride", 2, "--batch-size", 3), ("--start-index", 4, "--skip", 1)):
            with self.subTest(options):
                whole = calibrate("whole.zpcal", *options).read_bytes()
                shards = [calibrate(f"{k}.zpcal", *options, "--shard", f"{k}/3") for k in range(3)]
                zeropoint("merge", *shards, "-o", self.folder / "merged.zpcal")
                self.assertEqual(whole, (self.folder / "merged.zpcal").read_bytes())


if __name__ == "__main__":
    unittest.main()
