// What the parts of the page share: elements, numbers, tables, charts, the dialog.
'use strict';

const page = JSON.parse(document.getElementById('document').textContent);

// element('td', {className: 'number'}, '12', child): text and children in order.
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function number(value, digits = 4) {
  if (typeof value !== 'number') return '';
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(digits)));
}
function percent(share) { return typeof share === 'number' ? `${number(100 * share, 3)} %` : ''; }
// Without any error the ratio is infinite; JSON has null for that.
function decibel(value) { return value === null ? 'exact' : typeof value === 'number' ? value.toFixed(1) : ''; }
function bytes(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} MB`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)} kB` : `${value} B`;
}
function color(name) { return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim(); }

// A section of the page, listed in the navigation.
function addSection(id, title, ...children) {
  const section = element('section', {id}, element('h2', {}, title), ...children);
  document.getElementById('main').append(section);
  document.getElementById('sections').append(element('a', {href: `#${id}`}, title));
  return section;
}

function facts(pairs) {
  const list = element('dl', {className: 'facts'});
  for (const [name, value] of pairs) {
    if (value === undefined || value === '') continue;
    list.append(element('div', {}, element('dt', {}, name), element('dd', {}, String(value))));
  }
  return list;
}

// columns: [{title, value(row), text(row)?, open(row)?}]. Sorts by value, shows text; open makes the cell a button. What
// is typed into the search field must occur in the text of a cell.
function table(label, columns, rows) {
  const text = (column, row) => String((column.text ?? column.value)(row) ?? '');
  const isNumber = (column) => rows.some((row) => typeof column.value(row) === 'number');
  const body = element('tbody');
  const lines = rows.map((row) => {
    const line = element('tr');
    for (const column of columns) {
      const cell = element('td', {className: isNumber(column) ? 'number' : column.className?.(row) ?? ''});
      if (column.open) {
        cell.append(element('button', {type: 'button', onclick: () => column.open(row)}, text(column, row)));
      } else {
        cell.append(text(column, row));
      }
      line.append(cell);
    }
    return {row, line, words: columns.map((column) => text(column, row)).join('\n').toLowerCase()};
  });
  const head = element('tr');
  for (const column of columns) {
    const button = element('button', {type: 'button'}, column.title);
    const cell = element('th', {scope: 'col', className: isNumber(column) ? 'number' : ''}, button);
    button.onclick = () => {
      const down = cell.getAttribute('aria-sort') === 'ascending';
      for (const other of head.children) other.removeAttribute('aria-sort');
      cell.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      lines.sort((a, b) => (down ? -1 : 1) * compare(column.value(a.row), column.value(b.row)));
      body.append(...lines.map((each) => each.line));
    };
    head.append(cell);
  }
  body.append(...lines.map((each) => each.line));
  const shown = element('div', {className: 'scroll', tabIndex: 0},
                        element('table', {ariaLabel: label}, element('thead', {}, head), body));
  if (rows.length <= 5) return shown;
  const search = element('input', {type: 'search', placeholder: `Search ${rows.length} rows`, ariaLabel: `Search ${label}`});
  search.oninput = () => {
    const wanted = search.value.toLowerCase();
    for (const each of lines) each.line.hidden = !each.words.includes(wanted);
  };
  return element('div', {}, search, shown);
}

function compare(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  // What is no number (exact, unknown) comes last.
  if (typeof a === 'number' || typeof b === 'number') return typeof a === 'number' ? -1 : 1;
  return String(a ?? '').localeCompare(String(b ?? ''), undefined, {numeric: true});
}

// A chart with its description for those who cannot see it.
function chart(type, description, data, options) {
  const canvas = element('canvas', {role: 'img', ariaLabel: description});
  const axis = (title) => ({title: {display: true, text: title, color: color('text')}, ticks: {color: color('faint')},
                            grid: {color: color('line')}});
  const drawing = new Chart(canvas, {
    type, data,
    options: {
      animation: false, maintainAspectRatio: false, plugins: {legend: {display: false}}, ...options,
      scales: {x: {...axis(options.x), ...options.xScale}, y: {...axis(options.y), ...options.yScale}},
    },
  });
  const plot = element('div', {className: 'plot'}, canvas);
  // Drawn when it gets its place, which is where it learns its size.
  requestAnimationFrame(() => drawing.resize());
  return plot;
}

function openDetails(title, ...children) {
  document.getElementById('details-title').textContent = title;
  document.getElementById('details-body').replaceChildren(...children);
  document.getElementById('details').showModal();
}
