// The sections of the report, from its data to its end. One that has no data is left out.
'use strict';

const quantization = page.quantization;
const comparison = page.comparison;
const layers = new Map((comparison?.layers ?? []).map((layer) => [layer.tensor, layer]));

function addSummary() {
  document.title = page.title;
  document.getElementById('title').textContent = page.title;
  document.getElementById('subtitle').textContent = page.subtitle;
  const size = quantization?.bytes ?? comparison?.bytes;
  const seconds = quantization && Object.values(quantization.seconds).reduce((sum, each) => sum + each, 0);
  addSection('summary', 'Summary', facts([
    ['Form', quantization?.form],
    ['Runtime', quantization?.profile],
    ['Activations', quantization?.schemes.activations],
    ['Weights', quantization?.schemes.weights],
    ['Calibration', quantization && quantization.samples > 0 ? `${quantization.calibration.method}, ${quantization.samples} samples` : ''],
    ['Nodes quantized', quantization && `${quantization.nodes.quantized} of ${quantization.nodes.total}`],
    ['Size', size && `${bytes(size.float)} → ${bytes(size.quantized)}`],
    ['Time', seconds && `${number(seconds, 3)} s`],
    ['Peak memory', quantization && bytes(quantization.peak_rss_bytes)],
    ['Accuracy', comparison?.accuracy && `${percent(comparison.accuracy.float)} → ${percent(comparison.accuracy.quantized)}`],
  ]));
}

function addOutputs() {
  if (!comparison) return;
  addSection('outputs', 'Outputs', element('p', {}, `Against the float model, on ${comparison.samples} samples.`),
             table('outputs', [
               {title: 'Output', value: (row) => row.name},
               {title: 'SQNR, dB', value: (row) => row.sqnr_db, text: (row) => decibel(row.sqnr_db)},
               {title: 'Worst sample, dB', value: (row) => row.worst_sample_db, text: (row) => decibel(row.worst_sample_db)},
               {title: 'Cosine', value: (row) => row.cosine, text: (row) => number(row.cosine, 6)},
               {title: 'Largest error', value: (row) => row.max_abs_error, text: (row) => number(row.max_abs_error)},
               {title: 'Argmax agrees', value: (row) => row.argmax_agreement, text: (row) => percent(row.argmax_agreement)},
             ], comparison.outputs));
}

function addTuning() {
  if (!quantization?.tuning?.length) return;
  addSection('tuning', 'What was tried', element('p', {}, 'On samples that nothing else was chosen by.'),
             table('trials', [
               {title: 'Choice', value: (row) => row.what},
               {title: 'SQNR, dB', value: (row) => row.sqnr_db, text: (row) => decibel(row.sqnr_db)},
               {title: 'Kept', value: (row) => (row.accepted ? 'yes' : 'no'), className: (row) => (row.accepted ? 'quantized' : 'neutral')},
             ], quantization.tuning));
  const curve = quantization.tuning.filter((step) => step.float_cost !== undefined);
  if (curve.length < 2) return;
  document.getElementById('tuning').append(
    chart('line', 'SQNR against the time that nodes in float cost',
          {datasets: [{data: curve.map((step) => ({x: 100 * step.float_cost, y: step.sqnr_db})), borderColor: color('accent'),
                       borderWidth: 1.5, pointRadius: 3}]},
          {x: 'more time, %', y: 'SQNR, dB', xScale: {type: 'linear', ticks: {color: color('faint')}},
           plugins: {legend: {display: false}, tooltip: {callbacks: {title: (items) => curve[items[0].dataIndex].what}}}}));
}

function addLayers() {
  const measured = comparison?.layers ?? [];
  if (!measured.length) return;
  const known = measured.map((layer) => layer.sqnr_db);
  const lines = {pointRadius: measured.length > 200 ? 0 : 3, borderWidth: 1.5};
  addSection('layers', 'Noise along the graph',
             element('p', {}, 'Each quantized tensor against the float model’s: with all noise before it, and made from the float model’s tensors alone.'),
             chart('line', `SQNR of ${measured.length} tensors in the order of the graph`,
                   {labels: measured.map((_, i) => i + 1),
                    datasets: [
                      {label: 'with all noise before it', data: known, borderColor: color('accent'), ...lines},
                      {label: 'of its own layer alone', data: measured.map((layer) => layer.alone_db), borderColor: color('faint'), ...lines}]},
                   {x: 'tensor', y: 'SQNR, dB', xScale: {ticks: {maxTicksLimit: 12, color: color('faint')}},
                    onClick: (_, hits) => hits.length && openTensor(measured[hits[0].index].tensor),
                    plugins: {legend: {labels: {color: color('text')}},
                              tooltip: {callbacks: {title: (items) => measured[items[0].dataIndex].tensor}}}}));
}

function openTensor(name) {
  const tensor = quantization?.tensors.find((each) => each.name === name);
  const histogram = page.histograms?.[name];
  const parts = [facts([
    ['Range', tensor && `${number(tensor.lo)} to ${number(tensor.hi)}`],
    ['Scale', tensor && number(tensor.scale, 6)],
    ['Zero point', tensor && String(tensor.zero_point)],
    ['Scheme', tensor?.scheme],
    ['Why', tensor?.why],
    ['SQNR', layers.has(name) ? `${decibel(layers.get(name).sqnr_db)} dB` : ''],
    ['Values seen', histogram && `${number(histogram.seen[0])} to ${number(histogram.seen[1])}`],
    ['Clipped', histogram && percent(histogram.clipped)],
  ])];
  if (histogram) {
    const width = (histogram.hi - histogram.lo) / histogram.counts.length;
    const middle = (i) => histogram.lo + (i + 0.5) * width;
    const inside = (i) => !tensor || (middle(i) >= tensor.lo && middle(i) <= tensor.hi);
    parts.push(chart('bar', `Histogram of ${name}`,
                     {labels: histogram.counts.map((_, i) => number(middle(i), 3)),
                      datasets: [{data: histogram.counts, barPercentage: 1, categoryPercentage: 1,
                                  backgroundColor: histogram.counts.map((_, i) => color(inside(i) ? 'quantized' : 'float'))}]},
                     {x: 'value; outside the range in another colour', y: 'count',
                      yScale: {type: 'logarithmic', ticks: {color: color('faint')}}}));
  }
  openDetails(name, ...parts);
}

function addTensors() {
  if (!quantization?.tensors.length) return;
  addSection('tensors', 'Tensors', table('tensors', [
    {title: 'Tensor', value: (row) => row.name, open: (row) => openTensor(row.name)},
    {title: 'Low', value: (row) => row.lo, text: (row) => number(row.lo)},
    {title: 'High', value: (row) => row.hi, text: (row) => number(row.hi)},
    {title: 'Scale', value: (row) => row.scale, text: (row) => number(row.scale)},
    {title: 'Zero', value: (row) => row.zero_point},
    {title: 'Clipped', value: (row) => page.histograms?.[row.name]?.clipped, text: (row) => percent(page.histograms?.[row.name]?.clipped)},
    {title: 'SQNR, dB', value: (row) => layers.get(row.name)?.sqnr_db, text: (row) => decibel(layers.get(row.name)?.sqnr_db)},
    {title: 'Why', value: (row) => row.why},
  ], quantization.tensors));
}

function openWeights(weights) {
  const codes = weights.codes.counts;
  const parts = [
    facts([['Type', weights.type], ['Shape', weights.dims.join(' × ')], ['Scales', weights.scales.count],
           ['Read by', weights.node], ['Codes at an end', percent(weights.saturated)]]),
    chart('bar', `Codes of ${weights.name}`,
          {labels: codes.map((_, i) => Math.round(weights.codes.lo + (i + 0.5) * weights.codes.width)),
           datasets: [{data: codes, backgroundColor: color('accent'), barPercentage: 1, categoryPercentage: 1}]},
          {x: 'code', y: 'count'}),
  ];
  if (weights.scales.count > 1) {
    parts.push(chart('line', `Scales of ${weights.name}, channel by channel`,
                     {labels: weights.scales.greatest.map((_, i) => i * weights.scales.of_each),
                      datasets: [{data: weights.scales.greatest, borderColor: color('quantized'), pointRadius: 0, stepped: true}]},
                     {x: 'channel', y: 'scale', yScale: {beginAtZero: true, ticks: {color: color('faint')}}}));
  }
  openDetails(weights.name, ...parts);
}

function addWeights() {
  if (!page.weights?.length) return;
  addSection('weights', 'Weights', table('weights', [
    {title: 'Weights', value: (row) => row.name, open: openWeights},
    {title: 'Type', value: (row) => row.type},
    {title: 'Shape', value: (row) => row.dims.join(' × ')},
    {title: 'Scales', value: (row) => row.scales.count},
    {title: 'Least scale', value: (row) => row.scales.lo, text: (row) => number(row.scales.lo)},
    {title: 'Greatest scale', value: (row) => row.scales.hi, text: (row) => number(row.scales.hi)},
    {title: 'Read by', value: (row) => row.node},
  ], page.weights));
}

function addGraph() {
  if (!page.graph?.length) return;
  const quantized = new Set(quantization?.nodes.quantized_names ?? []);
  const reasons = new Map((quantization?.nodes.float ?? []).map((node) => [node.name, node.reason]));
  const nodes = page.graph.map((node) => {
    const state = quantized.has(node.name) ? 'quantized' : reasons.has(node.name) ? 'float' : 'neutral';
    return {...node, state, title: `${node.op} '${node.name}'${state === 'neutral' ? '' : `, ${state}`}`};
  });
  const open = (node) => {
    const tensors = (names) => element('ul', {}, ...names.filter((name) => name).map(
        (name) => element('li', {}, element('button', {type: 'button', onclick: () => openTensor(name)}, name))));
    openDetails(node.title, facts([['Why float', reasons.get(node.name)]]),
                element('h3', {}, 'Reads'), tensors(node.inputs), element('h3', {}, 'Writes'), tensors(node.outputs));
  };
  const legend = element('p', {}, 'The model after the clean-up. ', element('span', {className: 'quantized'}, '■ quantized '),
                         element('span', {className: 'float'}, '■ stays float '),
                         element('span', {className: 'neutral'}, '■ neither: it moves values, or has none to quantize'));
  addSection('model', 'Graph', legend, drawGraph(nodes, open));
}

function addDeclined(id, title, text, declined) {
  if (!declined?.length) return;
  addSection(id, title, element('p', {}, text), table(title, [
    {title: 'Node', value: (row) => row.name},
    {title: 'Operator', value: (row) => row.op},
    {title: 'Reason', value: (row) => row.reason},
  ], declined));
}

function addFindings() {
  const found = quantization?.calibration;
  if (!found) return;
  const lines = [...quantization.notes];
  const list = (text, names) => names?.length && lines.push(`${text}: ${names.join(', ')}`);
  list('Hold NaN or infinities', quantization.non_finite.map((each) => each.name));
  list('Never produced', found.never_produced);
  list('Always empty', found.always_empty);
  if (!found.settled) list('Ranges still grew in the last tenth of the samples', found.unsettled);
  if (!lines.length) return;
  addSection('findings', 'Findings', element('ul', {}, ...lines.map((line) => element('li', {}, line))));
}

addSummary();
addOutputs();
addFindings();
addTuning();
addLayers();
addGraph();
addTensors();
addWeights();
addDeclined('float', 'Stayed float', 'Nodes that compute in float, and why.', quantization?.nodes.float);
addDeclined('undone', 'Left undone', 'What the clean-up or the conversion left as it was.', quantization?.left_undone);
document.documentElement.dataset.ready = 'true';
