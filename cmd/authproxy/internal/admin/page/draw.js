// el makes an element: class names behind the tag by dots, then attributes, then children. Texts are
// set as texts: nothing that comes from outside is read as HTML.
function el(tag, attributes, ...children) {
  const [name, ...classes] = tag.split('.');
  const e = document.createElement(name);
  if (classes.length) e.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes || {})) e.setAttribute(key, value);
  e.append(...children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== ''));
  return e;
}

function svg(tag, attributes, text) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  if (text !== undefined) e.textContent = text;
  return e;
}

const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
const day = new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });

// skew is how far the clock of authproxy is before this one's, in milliseconds.
let skew = 0;
const now = () => Date.now() + skew;

// when shows a time, with how far off it is, which tick keeps true.
function when(time) {
  const at = Date.parse(time);
  return el('time', { datetime: time, title: day.format(at) }, shown(at));
}
function shown(at) {
  const text = (Math.abs(at - now()) < 12 * 3600e3 ? clock : day).format(at);
  return `${text} (${distance(at - now())})`;
}
function distance(ms) {
  const s = Math.round(ms / 1000), size = Math.abs(s);
  if (size < 90) return relative.format(s, 'second');
  if (size < 90 * 60) return relative.format(Math.round(s / 60), 'minute');
  if (size < 36 * 3600) return relative.format(Math.round(s / 3600), 'hour');
  return relative.format(Math.round(s / 86400), 'day');
}
function tick() {
  for (const t of document.querySelectorAll('time')) {
    const text = shown(Date.parse(t.dateTime));
    if (t.textContent !== text) t.textContent = text;
  }
  for (const bar of document.querySelectorAll('.bar')) paint(bar);
}

const ms = d => d === null || d === undefined ? '–' : d < 1000 ? `${number.format(d)} ms` : `${number.format(d / 1000)} s`;
const sum = list => list.reduce((a, b) => a + b, 0);

// life is the bar of a token, from its issue to its expiry.
function life(t) {
  const bar = el('div.bar', { role: 'img', 'data-issued': t.issued, 'data-renewal': t.renewal || '', 'data-expiry': t.expiry }, el('div.spent'), t.renewal ? el('div.renewal') : null);
  paint(bar);
  const end = (name, time) => el('div', {}, el('span', { class: 'soft' }, name), el('br'), when(time));
  return el('div.life', {}, bar, el('div.ends', {}, end(w.issued, t.issued), t.renewal ? end(w.renewal, t.renewal) : null, end(t.valid ? w.expiry : w.expiredAt, t.expiry)));
}
function paint(bar) {
  const from = Date.parse(bar.dataset.issued), to = Date.parse(bar.dataset.expiry);
  const part = at => Math.min(1, Math.max(0, (at - from) / Math.max(1, to - from)));
  const spent = part(now());
  bar.querySelector('.spent').style.width = `${100 * spent}%`;
  bar.classList.toggle('bad', spent >= 1);
  const renewal = bar.querySelector('.renewal');
  if (renewal) renewal.style.left = `${100 * part(Date.parse(bar.dataset.renewal))}%`;
  bar.setAttribute('aria-label', `${Math.round(100 * spent)} %`);
}

const wide = 300, high = 60, left = 1, top = 2, bottom = 59;

// chart draws bars, one upon the other, or lines, of the last 15 minutes; the caption says what is under
// the pointer, and else what all of it is.
function chart(title, step, series, o) {
  const length = series[0].values.length;
  const heights = [...Array(length).keys()].map(i => o.lines ? Math.max(0, ...series.map(s => s.values[i] || 0)) : sum(series.map(s => s.values[i] || 0)));
  const most = Math.max(...heights) || 1;
  const picture = svg('svg', { viewBox: `0 0 ${wide} ${high}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${title}: ${o.all}` });
  const width = (wide - left) / length, y = v => bottom - (bottom - top) * v / most;
  picture.append(svg('line', { x1: 0, x2: wide, y1: y(most), y2: y(most), class: 'grid', 'vector-effect': 'non-scaling-stroke' }));
  for (const s of o.lines ? series : []) picture.append(svg('path', { d: path(s.values, i => left + (i + 0.5) * width, y), class: `line ${s.line}` }));
  const base = Array(length).fill(0);
  for (const s of o.lines ? [] : series) {
    s.values.forEach((v, i) => {
      if (!v) return;
      picture.append(svg('rect', { x: left + i * width, width: Math.max(1, width - 0.6), y: y(base[i] + v), height: y(base[i]) - y(base[i] + v), class: s.fill }));
      base[i] += v;
    });
  }
  picture.append(svg('line', { x1: 0, x2: wide, y1: bottom, y2: bottom, class: 'base', 'vector-effect': 'non-scaling-stroke' }));
  const cursor = svg('line', { y1: top, y2: bottom, class: 'cursor', 'vector-effect': 'non-scaling-stroke', visibility: 'hidden' });
  picture.append(cursor);
  const caption = el('figcaption', {}, o.all);
  picture.addEventListener('pointermove', e => {
    const box = picture.getBoundingClientRect();
    const i = Math.min(length - 1, Math.max(0, Math.floor((e.clientX - box.left) / box.width * wide / width)));
    for (const end of ['x1', 'x2']) cursor.setAttribute(end, left + (i + 0.5) * width);
    cursor.setAttribute('visibility', 'visible');
    const values = series.filter(s => o.lines || s.values[i]).map(s => `${s.name} ${o.show(s.values[i])}`).join(', ');
    caption.textContent = `${clock.format(now() - (length - 1 - i) * step * 1000)}: ${values || '0'}`;
  });
  picture.addEventListener('pointerleave', () => { cursor.setAttribute('visibility', 'hidden'); caption.textContent = o.all; });
  return el('figure', {}, el('div.top', {}, el('h4', {}, title), el('span', { class: 'most' }, `${w.most} ${o.show(most)}`)), legend(series, o), picture,
    el('div.legend', {}, el('span', {}, w.ago), el('span', { class: 'right' }, w.now)), caption);
}
function legend(series, o) {
  return el('div.legend', {}, series.map(s => el('span', {}, el(`i.${s.fill}`), s.name + (o.totals ? ` ${number.format(sum(s.values))}` : ''))));
}
// path leaves gaps where there is no value, and shows one between two gaps as a dot.
function path(values, x, y) {
  let d = '', pen = false;
  values.forEach((v, i) => {
    if (v === null) { pen = false; return; }
    d += pen ? `L${x(i)} ${y(v)}` : `M${x(i)} ${y(v)}h0.01`;
    pen = true;
  });
  return d;
}
