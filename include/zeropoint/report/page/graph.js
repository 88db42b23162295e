// The graph: laid out by dagre from top to bottom, moved by dragging, wheel, pinch or keys.
'use strict';

const kNodeHeight = 30;

function svg(tag, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// nodes: [{name, op, inputs[], outputs[], state, title}]; open(node) when one is chosen.
function drawGraph(nodes, open) {
  const producer = new Map();
  nodes.forEach((node, i) => node.outputs.forEach((output) => producer.set(output, i)));
  const places = nodes.map((node, i) => ({v: `n${i}`, width: 24 + 7.5 * node.op.length, height: kNodeHeight}));
  const edges = [];
  nodes.forEach((node, i) => {
    const sources = new Set(node.inputs.map((input) => producer.get(input)).filter((source) => source !== undefined));
    for (const source of sources) {
      if (source === i) continue;
      edges.push({v: `n${source}`, w: `n${i}`, minlen: 1, weight: 1, width: 0, height: 0, labeloffset: 10, labelpos: 'r'});
    }
  });
  const layout = {nodesep: 20, ranksep: 24};
  // The finer ranking takes seconds from here on.
  if (nodes.length > 1000) layout.ranker = 'longest-path';
  dagre.layout(places, edges, layout, {});

  const view = svg('g', {});
  for (const edge of edges) {
    const points = edge.points.map((point) => `${point.x.toFixed(1)},${point.y.toFixed(1)}`);
    view.append(svg('path', {d: `M${points.join('L')}`}));
  }
  nodes.forEach((node, i) => {
    const place = places[i];
    const group = svg('g', {
      class: `node ${node.state}`, tabindex: 0, role: 'button', 'aria-label': node.title,
      transform: `translate(${place.x.toFixed(1)},${place.y.toFixed(1)})`,
    });
    group.append(svg('rect', {x: -place.width / 2, y: -kNodeHeight / 2, width: place.width, height: kNodeHeight, rx: 5}),
                 svg('text', {y: 4}, node.op), svg('title', {}, node.title));
    group.addEventListener('click', () => open(node));
    group.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      open(node);
    });
    view.append(group);
  });
  const canvas = svg('svg', {id: 'graph', tabindex: 0, role: 'group',
                             'aria-label': 'Graph of the model; arrow keys move it, + and - zoom'}, view);
  makeMovable(canvas, view, places);
  return canvas;
}

// Keeps one transform, {x, y, scale}, of `view` in `canvas`.
function makeMovable(canvas, view, places) {
  const left = Math.min(...places.map((place) => place.x - place.width / 2));
  const top = Math.min(...places.map((place) => place.y - kNodeHeight / 2));
  const first = places.reduce((best, place) => (place.y < best.y ? place : best), places[0]);
  const at = {x: 0, y: 20 - top, scale: 1};
  const apply = () => view.setAttribute('transform', `translate(${at.x},${at.y}) scale(${at.scale})`);
  const zoom = (factor, x, y) => {
    const scale = Math.min(4, Math.max(0.02, at.scale * factor));
    at.x = x - (x - at.x) * scale / at.scale;
    at.y = y - (y - at.y) * scale / at.scale;
    at.scale = scale;
    apply();
  };
  // The first node in the middle, once the width is known.
  requestAnimationFrame(() => {
    at.x = Math.max(20 - left, canvas.clientWidth / 2 - first.x);
    if (canvas.clientWidth / 2 < first.x) at.x = canvas.clientWidth / 2 - first.x;
    apply();
  });
  const inside = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 400), ...inside(event));
  }, {passive: false});
  const fingers = new Map();
  canvas.addEventListener('pointerdown', (event) => fingers.set(event.pointerId, inside(event)));
  for (const end of ['pointerup', 'pointercancel', 'pointerleave']) {
    canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
  canvas.addEventListener('pointermove', (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = [...fingers.values()];
    const [fromX, fromY] = fingers.get(event.pointerId);
    const [x, y] = inside(event);
    fingers.set(event.pointerId, [x, y]);
    at.x += (x - fromX) / fingers.size;
    at.y += (y - fromY) / fingers.size;
    if (fingers.size === 2) {
      const after = [...fingers.values()];
      const distance = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]);
      const middle = [0, 1].map((axis) => (after[0][axis] + after[1][axis]) / 2);
      zoom(distance(after) / Math.max(1, distance(before)), ...middle);
    }
    apply();
  });
  const moves = {ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60]};
  canvas.addEventListener('keydown', (event) => {
    if (moves[event.key]) {
      at.x += moves[event.key][0];
      at.y += moves[event.key][1];
      apply();
    } else if (event.key === '+' || event.key === '-') {
      zoom(event.key === '+' ? 1.25 : 0.8, canvas.clientWidth / 2, canvas.clientHeight / 2);
    } else {
      return;
    }
    event.preventDefault();
  });
  // A node that got the focus by the keyboard comes into sight.
  view.addEventListener('focusin', (event) => {
    const place = places[[...view.querySelectorAll('.node')].indexOf(event.target)];
    if (!place || !event.target.matches(':focus-visible')) return;
    at.x = canvas.clientWidth / 2 - place.x * at.scale;
    at.y = canvas.clientHeight / 2 - place.y * at.scale;
    apply();
  });
}
