// The space-time diagram as SVG: time to the right, a line for each node and client, an arrow for
// each message. Arrows of one type are one path, so that thousands of them stay fluent.

const EDGE = { left: 104, right: 14, ruler: 24 }, FAULT = 15, NODE = 58, CLIENT = 40, HEAD = 7;
const LOST = 24, ENDED = 11; // how far a lost message gets from its sender's line, or to the other one

function escaped(text) {
  return String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
}

// Where everything is, for a stretch of time and the lines that are shown.
function laidOut(header, all, state, width) {
  const faults = header.faults.filter((fault) => fault.from < state.to && fault.to > state.from);
  const x = (seconds) => EDGE.left + ((seconds - state.from) / (state.to - state.from)) * (width - EDGE.left - EDGE.right);
  const rows = faultRows(faults, x);
  const top = EDGE.ruler + FAULT * (1 + Math.max(-1, ...rows)) + 4;
  const y = new Map(), lines = [];
  let height = top;
  header.lines.forEach((line, place) => {
    if (!state.lines.has(place)) return;
    height += line.process === null ? NODE : CLIENT;
    lines.push({ ...line, y: height });
    line.codes.forEach((code) => y.set(code, height));
  });
  return { faults, rows, x, y, lines, top, width, height: height + 26, all };
}

// A row for the name of each fault, so that no two names overlap.
function faultRows(faults, x) {
  const ends = [];
  return faults.map((fault) => {
    const left = Math.max(EDGE.left, x(fault.from));
    const free = ends.findIndex((end) => end < left), row = free < 0 ? ends.length : free;
    ends[row] = left + fault.label.length * 6.4 + 12;
    return row;
  });
}

// The arrows in sight: which messages, and from where to where.
function arrowsIn(place, header, all, state) {
  const found = [], from = state.from * 1e6, to = state.to * 1e6;
  for (let i = 0; i < all.count; i++) {
    if (all.at[i] < from || all.sent[i] > to || state.off.has(all.kind[i])) continue;
    const y1 = place.y.get(all.sender[i]), y2 = place.y.get(all.dest[i]);
    if (y1 !== undefined && y2 !== undefined) found.push(i);
  }
  const arrows = thinnedOut(found, all, state, header.most).map((i) => arrow(place, header, all, i));
  return { arrows, there: found.length };
}

// Where there are too many: those that are marked, those that are lost, and every so manieth other.
function thinnedOut(found, all, state, most) {
  if (found.length <= most) return found;
  const wanted = found.filter((i) => state.marked.has(i) || all.fate[i]).slice(0, most);
  const others = found.filter((i) => !state.marked.has(i) && !all.fate[i]);
  const room = most - wanted.length, step = others.length / Math.max(1, room);
  return wanted.concat(Array.from({ length: Math.min(room, others.length) }, (_, n) => others[Math.floor(n * step)]));
}

function arrow(place, header, all, i) {
  const x1 = place.x(all.sent[i] / 1e6), y1 = place.y.get(all.sender[i]), end = place.y.get(all.dest[i]);
  const fate = header.fates[all.fate[i]];
  if (!fate) return { i, x1, y1, x2: place.x(all.at[i] / 1e6) + 4 * all.copy[i], y2: end };
  const onTheWay = fate === "cut" || fate === "loss", way = end - y1;
  return { i, x1, y1, x2: x1 + 3, y2: onTheWay ? y1 + Math.sign(way) * Math.min(LOST, Math.abs(way) / 2) : end - Math.sign(way) * ENDED };
}

function head({ x1, y1, x2, y2 }) {
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [dx, dy] = [((x2 - x1) / length) * HEAD, ((y2 - y1) / length) * HEAD];
  const p = (a, b) => a.toFixed(1) + " " + b.toFixed(1);
  return `M${p(x2, y2)}L${p(x2 - dx - dy * 0.35, y2 - dy + dx * 0.35)}L${p(x2 - dx + dy * 0.35, y2 - dy - dx * 0.35)}Z`;
}

// One that a node sends to itself is a small bow.
function shaft({ x1, y1, x2, y2 }) {
  const [a, b, c, d] = [x1, y1, x2, y2].map((n) => n.toFixed(1));
  return y1 === y2 ? `M${a} ${b}q${((x2 - x1) / 2).toFixed(1)} -22 ${(x2 - x1).toFixed(1)} 0` : `M${a} ${b}L${c} ${d}`;
}

function drawnArrows(header, all, arrows, state) {
  const groups = new Map();
  for (const each of arrows) {
    const lost = all.fate[each.i] > 0, key = [all.kind[each.i], lost || all.copy[each.i] ? 1 : 0].join();
    const group = groups.get(key) || groups.set(key, { shafts: "", heads: "" }).get(key);
    group.shafts += shaft(each);
    if (!lost) group.heads += head(each);
  }
  const dim = !state.marked.size ? 0.9 : arrows.length > 300 ? 0.45 : 0.75, thin = arrows.length > 400 ? 0.8 : 1.1;
  let svg = "";
  for (const [key, { shafts, heads }] of groups) {
    const [kind, broken] = key.split(",").map(Number), paint = `var(${header.colours[kind]})`;
    svg += `<path d="${shafts}" fill="none" style="stroke:${paint}" stroke-width="${thin}" opacity="${dim}"${broken ? ' stroke-dasharray="4 3"' : ""}/>`;
    svg += `<path d="${heads}" style="fill:${paint}" opacity="${dim}"/>`;
  }
  const crosses = arrows.filter(({ i }) => all.fate[i]).map(({ x2, y2 }) => `M${(x2 - 3.5).toFixed(1)} ${(y2 - 3.5).toFixed(1)}l7 7m0 -7l-7 7`).join("");
  if (crosses) svg += `<path class="crosses" d="${crosses}" fill="none" style="stroke:var(${header.outcomes.fail})" stroke-width="1.7"/>`;
  const bold = arrows.filter(({ i }) => state.marked.has(i));
  return svg + bold.map((each) => marked(each, header, all)).join("");
}

function marked(each, header, all) {
  const paint = `var(${header.colours[all.kind[each.i]]})`;
  const end = all.fate[each.i] ? "" : `<path d="${head(each)}" style="fill:${paint};stroke:${paint}" stroke-width="1.5"/>`;
  return `<path class="marked" d="${shaft(each)}" fill="none" style="stroke:${paint}" stroke-width="2.4"/>${end}`;
}

// The types of messages beside their arrows, as far as there is room.
function arrowNames(header, all, arrows, state, bars) {
  const taken = bars.filter((bar) => bar.label !== undefined).map((bar) => ({ x: bar.label, y: bar.y - 10, wide: bar.wide }));
  const wanted = state.marked.size ? arrows.filter(({ i }) => state.marked.has(i)) : arrows;
  if (wanted.length > 60) return "";
  return wanted
    .map((each) => {
      const text = header.kinds[all.kind[each.i]], wide = text.length * 5.6 + 8;
      const spots = [0.5, 0.35, 0.65, 0.2, 0.8].map((share) => ({ x: each.x1 + (each.x2 - each.x1) * share + 5, y: each.y1 + (each.y2 - each.y1) * share + 3 }));
      const spot = spots.find(({ x, y }) => !taken.some((other) => Math.abs(other.y - y) < 12 && x < other.x + other.wide && other.x < x + wide));
      if (!spot) return "";
      taken.push({ ...spot, wide });
      return `<text class="halo" x="${spot.x.toFixed(1)}" y="${spot.y.toFixed(1)}" font-size="10" style="fill:var(${header.colours[all.kind[each.i]]})">${escaped(text)}</text>`;
    })
    .join("");
}

function drawnFaults(place) {
  return place.faults
    .map((fault) => {
      const left = Math.max(EDGE.left, place.x(fault.from)), right = Math.min(place.width - EDGE.right, place.x(fault.to));
      const paint = `style="fill:var(${fault.colour})"`;
      const band = `<rect class="fault" x="${left}" y="${EDGE.ruler}" width="${Math.max(1, right - left)}" height="${place.height - EDGE.ruler - 14}" ${paint} opacity="0.32"/>`;
      return band + place.lines.filter((line) => line.name in fault.down).map((line) => gone(place, line, left, fault.down[line.name], paint)).join("");
    })
    .join("");
}

function faultNames(place) {
  const name = (fault, n) => `<text class="halo" x="${Math.max(EDGE.left, place.x(fault.from)) + 4}" y="${EDGE.ruler + FAULT * place.rows[n] + 12}">${escaped(fault.label)}</text>`;
  return place.faults.map(name).join("");
}

// Where a node is killed, stopped or frozen, its line is a bar.
function gone(place, line, left, until, paint) {
  const right = Math.min(place.width - EDGE.right, place.x(until));
  return right <= left ? "" : `<rect class="down" x="${left}" y="${line.y - 7}" width="${right - left}" height="14" rx="3" ${paint}/>`;
}

function drawnLines(place) {
  return place.lines
    .map((line) => {
      const node = line.process === null, class_ = node ? "strong" : "muted";
      const stroke = node ? 'style="stroke:var(--ink)" stroke-width="1.4"' : 'style="stroke:var(--muted)" stroke-width="0.7"';
      return `<text class="${class_}" x="${EDGE.left - 10}" y="${line.y + 4}" text-anchor="end" font-size="${node ? 13 : 11}">${escaped(line.name)}</text><line x1="${EDGE.left}" x2="${place.width - EDGE.right}" y1="${line.y}" y2="${line.y}" ${stroke}/>`;
    })
    .join("");
}

function drawnRuler(place, state) {
  const wanted = ((state.to - state.from) / (place.width - EDGE.left - EDGE.right)) * 100, power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= wanted), digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  let svg = "";
  for (let n = Math.ceil(state.from / step); n * step <= state.to; n++) {
    const at = place.x(n * step);
    svg += `<line x1="${at}" x2="${at}" y1="${EDGE.ruler - 4}" y2="${place.height - 14}" style="stroke:var(--line)" stroke-width="1"/>`;
    if (at < place.width - 50) svg += `<text class="muted" x="${at + 3}" y="13">${(n * step).toFixed(digits)} s</text>`;
  }
  return svg;
}

// Operations as bars on the lines of their clients, those that the verdict names with an edge.
function drawnOperations(place, header, state) {
  const bars = [], edge = place.width - EDGE.right;
  for (const line of place.lines) {
    if (line.process === null) continue;
    const mine = header.operations.map((op, n) => ({ op, n })).filter(({ op }) => op[0] === line.process);
    const seen = mine.map(({ op, n }) => barOf(place, op, n, line.y, edge)).filter((bar) => bar.right >= EDGE.left && bar.left <= edge);
    bars.push(...seen);
    for (const bar of [...seen.filter((each) => each.named), ...seen.filter((each) => !each.named)]) name(bar, seen, edge);
  }
  const svg = bars.map((bar) => {
    const stroke = bar.named || state.chosen === bar.n ? ' style="stroke:var(--ink)" stroke-width="1.6"' : "";
    const left = Math.max(EDGE.left, bar.left), wide = Math.max(3, Math.min(edge, bar.right) - left);
    const box = `<rect class="operation" data-n="${bar.n}" x="${left}" y="${bar.y - 5}" width="${wide}" height="10" rx="2" fill="var(${header.outcomes[bar.outcome]})"${stroke}${bar.open ? ' opacity="0.6"' : ""}/>`;
    return box + (bar.label === undefined ? "" : `<text class="halo${bar.named ? " strong" : ""}" x="${bar.label}" y="${bar.y - 10}">${escaped(bar.text)}</text>`);
  });
  return { svg: svg.join(""), bars };
}

function barOf(place, [, from, to, outcome, text, named], n, y, edge) {
  return { n, y, outcome, text, named, open: to < 0, left: place.x(from / 1e6), right: to < 0 ? edge : place.x(to / 1e6) };
}

// Give a bar its text, if it does not overlap with one that is there.
function name(bar, seen, edge) {
  const wide = bar.text.length * (bar.named ? 6.4 : 5.9) + 6;
  const at = Math.min(Math.max(EDGE.left + 2, bar.left), edge - wide);
  const free = seen.every((other) => other.label === undefined || other.label > at + wide || other.label + other.wide < at);
  if (free) Object.assign(bar, { label: at, wide });
}
