const open = new Map(); // what the reader has opened, by key

// section shows a card for each item, and makes anew only those that changed.
function section(id, title, items, key, build, shape) {
  const place = document.getElementById(id);
  if (!items.length) { place.replaceChildren(); return; }
  let cards = place.querySelector('.cards');
  if (!cards) {
    cards = el(`div.cards${shape || ''}`);
    place.replaceChildren(el('h2', {}, title), cards);
  }
  const before = new Map([...cards.children].map(c => [c.dataset.key, c]));
  const after = items.map(item => {
    const text = JSON.stringify(item), old = before.get(key(item));
    if (old && old.dataset.text === text) return old;
    const card = build(item);
    card.dataset.key = key(item);
    card.dataset.text = text;
    return card;
  });
  if (after.length !== cards.children.length || after.some((c, i) => c !== cards.children[i])) cards.replaceChildren(...after);
}

function facts(pairs) {
  return el('dl', {}, pairs.filter(p => p && p[1] !== null && p[1] !== undefined && p[1] !== '').map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
}

function tokenPill(t) {
  if (t.valid) return t.error ? el('span.pill.warn', {}, `▲ ${w.renewalFails}`) : el('span.pill.good', {}, `● ${w.valid}`);
  if (t.error) return el('span.pill.bad', {}, `✕ ${w.fails}`);
  return t.expiry ? el('span.pill.idle', {}, `○ ${w.expired}`) : el('span.pill.idle', {}, `○ ${w.none}`);
}

function tokenCard(t) {
  const f = t.last_fetch;
  return el('article.card', {},
    el('div.top', {}, el('h3', {}, t.name), el('span', { class: 'soft' }, t.provider || ''), tokenPill(t)),
    t.expiry ? life(t) : t.error ? null : el('p', { class: 'soft' }, w.noToken),
    t.error ? el(`div.note${t.valid ? '' : '.bad'}`, {}, el('p', {}, t.error), t.next_try ? el('p', { class: 'soft' }, `${w.next} `, when(t.next_try)) : null) : null,
    t.rival ? el('div.note', {}, el('p', {}, `${w.rival} `, when(t.rival))) : null,
    facts([
      [w.fingerprint, t.fingerprint ? el('code', {}, t.fingerprint) : ''],
      [w.last, f ? [when(f.time), `: ${w.result[f.result] || f.result}, ${ms(f.duration_ms)} (${w.cause[f.cause] || f.cause})`] : ''],
      [w.fetched, t.fetched + t.failed ? w.fetches(t.fetched, t.failed) : ''],
      [w.replaced, t.replaced ? number.format(t.replaced) : ''],
      [w.waiting, String(t.waiting)],
      [w.shared, t.store ? w[t.store] || t.store : ''],
      [w.for, t.upstreams.join(', ')],
      [w.lastError, !t.error && t.last_error ? [when(t.last_error.time), `: ${t.last_error.text}`] : ''],
    ]));
}

function figure(value, name) { return el('div.figure', {}, el('b', {}, value), el('span', {}, name)); }

function failureList(key, list) {
  const items = list.map(f => el('li', {},
    when(f.time), f.count > 1 ? ` · ${w.times(number.format(f.count))}` : '', ' · ',
    el('span.mono', {}, `${f.method} ${f.path}`), ` · ${f.status}`, [f.code, f.reason, f.outcome && (w.outcome[f.outcome] || f.outcome)].filter(Boolean).map(x => ` · ${x}`),
    el('p.why', {}, f.text || w.theirs(f.status))));
  return remembered(key, el('summary', {}, `${w.failures} (${list.length})`), el('ul.failures', {}, items));
}

// remembered is what can be opened and stays so when the card is made anew.
function remembered(key, summary, content) {
  const d = el('details', {}, summary, content);
  d.open = open.has(key) ? open.get(key) : true;
  d.addEventListener('toggle', () => open.set(key, d.open));
  return d;
}

function upstreamCard(u, step) {
  const all = sum(u.requests), failed = sum(u.failed), minute = sum(u.requests.slice(-7, -1)) / (6 * step);
  const good = u.requests.map((n, i) => Math.max(0, n - u.failed[i]));
  const outcomes = Object.keys(w.outcome).filter(o => u.retries[o]);
  const charts = all === 0 ? el('p', { class: 'soft' }, w.quiet) : el('div.charts', {},
    chart(w.requests, step, [{ name: w.requests, values: good, fill: 'c-main' }, { name: w.failed, values: u.failed, fill: 'c-bad' }],
      { all: `${number.format(all)} ${w.requests}, ${number.format(failed)} ${w.failed}`, show: v => number.format(v) }),
    chart(w.duration, step, [{ name: w.median, values: u.p50_ms, fill: 'c-main', line: 'l-main' }, { name: w.p95, values: u.p95_ms, fill: 'c-second', line: 'l-second' }],
      { all: `${w.median} ${ms(u.total.p50_ms)}, ${w.p95} ${ms(u.total.p95_ms)}, ${w.p99} ${ms(u.total.p99_ms)}`, show: ms, lines: true }),
    outcomes.length ? chart(w.retries, step, outcomes.map(o => ({ name: w.outcome[o], values: u.retries[o], fill: `o-${o}` })),
      { all: `${number.format(sum(outcomes.map(o => sum(u.retries[o]))))} ${w.retries}`, show: v => number.format(v), totals: true })
      : el('figure', {}, el('h4', {}, w.retries), el('figcaption', {}, w.noRetries)));
  return el('article.card', {},
    el('div.top', {}, el('h3', {}, u.name), failed ? el('span.pill.warn', {}, `▲ ${number.format(failed)} ${w.failed}`) : null),
    facts([[w.reach, el('code', {}, u.address)], [w.leads, el('code', {}, u.url)], [w.token, u.token]]),
    el('div.figures', {}, figure(number.format(minute), `${w.requests} ${w.perSecond}`), figure(number.format(u.in_flight), w.inFlight),
      figure(ms(u.total.p50_ms), w.median), figure(ms(u.total.p95_ms), w.p95)),
    charts,
    u.failures.length ? failureList(`upstream ${u.name}`, u.failures) : null);
}

function show(s) {
  skew = Date.parse(s.time) - Date.now();
  document.body.classList.remove('stale');
  document.getElementById('head').replaceChildren(
    el('h1', {}, 'authproxy'), el('span', { class: 'soft' }, s.program.version),
    s.ready ? el('span.pill.good', {}, `● ${w.ready}`) : el('span.pill.bad', {}, `✕ ${w.notReady}: ${s.not_ready}`),
    el('span', { class: 'soft' }, `${w.up} `, when(s.program.started)),
    s.config.file ? el('span', { class: 'soft' }, `${w.config} `, el('code', {}, s.config.file), `, ${w.loaded} `, when(s.config.loaded)) : null);
  document.getElementById('problems').replaceChildren(...[
    s.config.error ? el('div.note.bad', {}, el('p', {}, w.configFault), ...s.config.error.split('\n').map(line => el('p.mono', {}, line))) : null,
    s.config.warnings.length ? el('div.note', {}, remembered('warnings', el('summary', {}, `${w.warnings} (${s.config.warnings.length})`), el('ul', {}, s.config.warnings.map(x => el('li', {}, x))))) : null,
  ].filter(Boolean));
  section('tokens', w.tokens, s.tokens, t => t.name, tokenCard);
  section('upstreams', w.upstreams, s.upstreams, u => u.name, u => upstreamCard(u, s.step_seconds), '.wide');
  section('rejected', w.rejected, s.rejected.length ? [s.rejected] : [], () => 'rejected', list => el('article.card', {}, failureList('rejected', list)), '.wide');
  document.getElementById('foot').replaceChildren(el('span', {}, `${w.updated} ${clock.format(now())}`),
    el('span', {}, `${w.same} `, el('a', { href: '/api/status' }, '/api/status'), ', ', el('a', { href: '/metrics' }, '/metrics')));
  const wrong = !s.ready || s.config.error || s.tokens.some(t => t.error);
  document.title = wrong ? '▲ authproxy' : 'authproxy';
  tick();
}

let answered = Date.now();
async function update() {
  try {
    const answer = await fetch('/api/status', { cache: 'no-store', signal: AbortSignal.timeout(8000) });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    show(await answer.json());
    answered = Date.now();
  } catch (e) {
    document.body.classList.add('stale');
    document.title = '✕ authproxy';
    document.getElementById('problems').replaceChildren(el('div.note.bad', {}, el('p', {}, `${w.gone} ${clock.format(answered)}: ${e.message}`)));
  }
}

document.documentElement.lang = locale;
update();
setInterval(tick, 1000);
setInterval(() => { if (!document.hidden) update(); }, 5000);
document.addEventListener('visibilitychange', () => { if (!document.hidden) update(); });
