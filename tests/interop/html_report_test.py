"""The HTML report in a real browser: a script at its end does what a reader does, and writes what it saw into the page."""
import html
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import numpy as np
import onnx

from support import AT_ANY_SPEED, all_models, shipped_models, zeropoint

BROWSER = shutil.which("chromium") or shutil.which("chromium-headless-shell")
LARGEST_PAGE = 3_000_000

# First in the page, so that nothing goes unseen.
LISTEN = """<script>
const complaints = [];
window.addEventListener('error', (event) => complaints.push(String(event.message)));
for (const level of ['error', 'warn']) console[level] = (...words) => complaints.push(words.join(' '));
</script>"""

# Runs when charts and graph have their places.
PROBE = """<script>
const firstCells = (id) => [...document.querySelectorAll(`#${id} tbody tr:not([hidden])`)].map((row) => row.cells[0].textContent);
function sorted(id, column) {
  const header = document.querySelectorAll(`#${id} th`)[column];
  const values = () => [...document.querySelectorAll(`#${id} tbody tr`)].map((row) => row.cells[column].textContent);
  header.querySelector('button').click();
  const up = [header.getAttribute('aria-sort'), values()];
  header.querySelector('button').click();
  return {up, down: [header.getAttribute('aria-sort'), values()]};
}
function act() {
  const seen = {complaints, title: document.title, ready: document.documentElement.dataset.ready,
                sections: [...document.querySelectorAll('main section')].map((section) => section.id),
                wide: document.documentElement.scrollWidth > window.innerWidth,
                ground: getComputedStyle(document.body).backgroundColor};
  const search = document.querySelector('#tensors input[type=search]');
  seen.tensors = firstCells('tensors');
  if (search) {
    search.value = seen.tensors[3];
    search.dispatchEvent(new Event('input'));
    seen.found = firstCells('tensors');
    search.value = '';
    search.dispatchEvent(new Event('input'));
  }
  if (seen.tensors.length) {
    seen.sorted = sorted('tensors', 3);
    document.querySelector('#tensors td button').click();
    seen.details = [document.getElementById('details').open, document.getElementById('details-title').textContent,
                    document.querySelectorAll('#details canvas').length];
    document.getElementById('details').close();
  }
  const nodes = [...document.querySelectorAll('#graph .node')];
  seen.nodes = nodes.length;
  seen.edges = document.querySelectorAll('#graph path').length;
  seen.states = {};
  for (const node of nodes) seen.states[node.classList[1]] = (seen.states[node.classList[1]] ?? 0) + 1;
  const view = document.querySelector('#graph > g');
  const place = () => view.getAttribute('transform');
  const graph = document.getElementById('graph');
  const before = place();
  graph.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowDown', bubbles: true}));
  const moved = place();
  graph.dispatchEvent(new WheelEvent('wheel', {deltaY: -100, cancelable: true}));
  seen.moves = [before !== moved, moved !== place()];
  nodes[0].focus();
  nodes[0].dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
  seen.opened = document.getElementById('details-title').textContent;
  document.getElementById('details').close();
  const weights = document.querySelector('#weights td button');
  if (weights) {
    weights.click();
    seen.weights = document.querySelectorAll('#details canvas').length;
    document.getElementById('details').close();
  }
  document.body.append(Object.assign(document.createElement('pre'), {id: 'seen', textContent: JSON.stringify(seen)}));
}
setTimeout(act, 500);
</script>"""


def browse(page, *options):
    """What the probe saw in the page."""
    text = page.read_text(encoding="utf-8")
    probed = page.with_suffix(".probed.html")
    probed.write_text(text.replace("<head>", "<head>" + LISTEN, 1).replace("</body>", PROBE + "</body>"), encoding="utf-8")
    with tempfile.TemporaryDirectory() as profile:
        dom = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             f"--user-data-dir={profile}", "--virtual-time-budget=20000", *options, "--dump-dom", probed.as_uri()],
            capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r'<pre id="seen">(.*?)</pre>', dom, re.DOTALL)
    if not found:
        raise AssertionError("the page did not come to its end:\n" + dom[-2000:])
    return json.loads(html.unescape(found[1]))


@unittest.skipUnless(BROWSER, "needs chromium")
class HtmlReport(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def report(self, model, *options):
        page = self.folder / f"{model.name}.html"
        result = zeropoint("static", *AT_ANY_SPEED, model.path, *model.source("calib"), "--limit", 8, "-o",
                           self.folder / f"{model.name}.onnx", "--report", page, "--json", *options)
        return page, json.loads(result.stdout)

    def test_is_read_sorted_searched_and_opened(self):
        model = shipped_models()[0]
        page, report = self.report(model)
        seen = browse(page)
        self.assertEqual(seen["complaints"], [])
        self.assertEqual(seen["ready"], "true")
        self.assertEqual(seen["sections"], ["summary", "outputs", "tuning", "layers", "model", "tensors", "weights", "float"])
        self.assertEqual(seen["tensors"], [tensor["name"] for tensor in report["tensors"]])
        self.assertIn(seen["tensors"][3], seen["found"])
        self.assertLess(len(seen["found"]), len(seen["tensors"]))
        direction, scales = seen["sorted"]["up"]
        self.assertEqual(direction, "ascending")
        self.assertEqual([float(scale) for scale in scales], sorted(float(scale) for scale in scales))
        self.assertEqual(seen["sorted"]["down"], ["descending", scales[::-1]])
        self.assertEqual(seen["details"][0], True)
        self.assertEqual(seen["details"][2], 1)  # its histogram
        self.assertEqual(seen["weights"], 2)     # codes and scales
        self.assertEqual(seen["nodes"], report["nodes"]["total"])
        self.assertEqual(seen["states"]["quantized"], report["nodes"]["quantized"])
        self.assertEqual(seen["states"]["float"], len(report["nodes"]["float"]))
        self.assertGreaterEqual(seen["edges"], seen["nodes"] - 1)
        self.assertEqual(seen["moves"], [True, True])
        self.assertTrue(seen["opened"])

    def test_needs_no_network(self):
        page, _ = self.report(shipped_models()[0])
        addresses = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)""", page.read_text(encoding="utf-8"))
        self.assertEqual([address for address in addresses if not address.startswith(("#", "data:"))], [])

    def test_fits_a_phone_and_follows_the_system_into_the_dark(self):
        page, _ = self.report(shipped_models()[0])
        phone = browse(page, "--window-size=500,900")
        self.assertFalse(phone["wide"])
        dark = browse(page, "--blink-settings=preferredColorScheme=0")
        self.assertNotEqual(dark["ground"], phone["ground"])
        self.assertEqual(dark["complaints"], [])

    def test_compare_shows_the_quantized_model(self):
        model = shipped_models()[0]
        self.report(model)
        page = self.folder / "compare.html"
        zeropoint("compare", model.path, self.folder / f"{model.name}.onnx", *model.source("eval"), "--limit", 4, "--report", page)
        seen = browse(page)
        self.assertEqual(seen["complaints"], [])
        self.assertEqual(seen["sections"], ["summary", "outputs", "layers", "model", "weights"])

    def test_other_forms_and_flows_have_pages(self):
        model = shipped_models()[0]
        page, _ = self.report(model, "--form", "qoperator")
        self.assertGreater(browse(page)["weights"], 0)
        page = self.folder / "dynamic.html"
        zeropoint("dynamic", model.path, "-o", self.folder / "dynamic.onnx", "--report", page)
        seen = browse(page)
        self.assertEqual(seen["complaints"], [])
        self.assertIn("model", seen["sections"])

    def test_pages_of_large_models_stay_small(self):
        for model in all_models():
            if model.name not in ("ppocr_rec", "minilm_l6"):
                continue
            with self.subTest(model.name):
                page, report = self.report(model)
                self.assertLess(page.stat().st_size, LARGEST_PAGE)
                seen = browse(page)
                self.assertEqual(seen["complaints"], [])
                self.assertEqual(seen["nodes"], report["nodes"]["total"])

    def test_two_thousand_tensors(self):
        nodes, weights, tensor = [], [], "x"
        generator = np.random.default_rng(3)
        for i in range(1000):
            weights.append(onnx.numpy_helper.from_array(generator.normal(size=(4, 4)).astype(np.float32), f"w{i}"))
            nodes.append(onnx.helper.make_node("MatMul", [tensor, f"w{i}"], [f"p{i}"], f"product{i}"))
            nodes.append(onnx.helper.make_node("Tanh", [f"p{i}"], [f"t{i}"], f"tanh{i}"))
            tensor = f"t{i}"
        ports = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 4]) for name in ("x", tensor)]
        graph = onnx.helper.make_graph(nodes, "deep", ports[:1], ports[1:], weights)
        onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8),
                  self.folder / "deep.onnx")
        page = self.folder / "deep.html"
        zeropoint("static", *AT_ANY_SPEED, self.folder / "deep.onnx", "--data", "synthetic:8", "--profile", "generic", "--tune", "off",
                  "-o", self.folder / "deep.int8.onnx", "--report", page)
        self.assertLess(page.stat().st_size, LARGEST_PAGE)
        seen = browse(page)
        self.assertEqual(seen["complaints"], [])
        self.assertGreaterEqual(len(seen["tensors"]), 2000)
        self.assertEqual(seen["nodes"], 2000)


if __name__ == "__main__":
    unittest.main()
