// The messages of the run: read from the page, chosen by time, type and line, and drawn.

async function readMessages(header) {
  const buffer = await unpacked("messages-data"), all = { count: header.count };
  const arrays = { float64: Float64Array, uint32: Uint32Array, uint16: Uint16Array, uint8: Uint8Array };
  let offset = 0;
  for (const [name, type] of header.columns) {
    all[name] = new arrays[type](buffer, offset, header.count);
    offset += all[name].byteLength;
  }
  all.bodies = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, offset)));
  return all;
}

// What led from a request to its answer: each node is taken to send because of what it got last,
// of all that can have come from the request.
function chainOf(header, all, request, answer) {
  const clients = new Set(header.lines.filter((line) => line.process !== null).flatMap((line) => line.codes));
  if (request < 0 || answer < 0) return [request, answer].filter((i) => i >= 0);
  const arrived = new Map([[all.dest[request], [request]]]);
  const last = (name, at) => (arrived.get(name) || []).filter((i) => all.at[i] <= at).sort((a, b) => all.at[a] - all.at[b]).pop();
  for (let i = request + 1; i <= answer; i++) {
    if (all.fate[i] || clients.has(all.sender[i]) || all.sent[i] < all.at[request] || last(all.sender[i], all.sent[i]) === undefined) continue;
    arrived.set(all.dest[i], [...(arrived.get(all.dest[i]) || []), i]);
  }
  const found = [answer];
  while (found[0] !== request) {
    const before = last(all.sender[found[0]], all.sent[found[0]]);
    if (before === undefined || found.includes(before)) return [request, answer];
    found.unshift(before);
  }
  return found;
}

function told(header, all, i) {
  const fate = header.fates[all.fate[i]], seconds = (us) => (us / 1e6).toFixed(6) + " s";
  const name = (code) => header.names[code];
  const way = `${name(all.sender[i])} → ${name(all.dest[i])}` + (all.sender[i] === all.src[i] ? "" : `, in the name of ${name(all.src[i])}`);
  const became = fate ? `lost: ${fate}` : `took ${duration((all.at[i] - all.sent[i]) / 1000)}` + (all.copy[i] ? ", a copy" : "");
  return [`${header.kinds[all.kind[i]]}   ${way}`, `sent at ${seconds(all.sent[i])}, ${became}`, all.bodies[i], `message ${all.id[i]}, ${all.size[i].toLocaleString("en")} bytes`];
}

async function startMessages() {
  const header = JSON.parse(document.getElementById("messages-header").textContent);
  const all = await readMessages(header);
  const svg = document.getElementById("messages-drawing"), box = document.getElementById("space-time");
  const named = header.operations.map((op, n) => [op, n]).filter(([op]) => op[5]);
  const state = { from: header.shown[0], to: header.shown[1], off: new Set(), lines: new Set(header.first), marked: new Set(), chosen: -1 };
  const first = named.flatMap(([op]) => chainOf(header, all, op[6], op[7]));
  state.marked = new Set(first);
  let place, arrows = [], bars = [];

  function draw() {
    const width = svg.clientWidth;
    if (width < 200) return;
    place = laidOut(header, all, state, width);
    const seen = arrowsIn(place, header, all, state), operations = drawnOperations(place, header, state);
    arrows = seen.arrows;
    bars = operations.bars;
    svg.setAttribute("viewBox", `0 0 ${width} ${place.height}`);
    svg.style.height = place.height + "px";
    svg.innerHTML =
      `<clipPath id="messages-clip"><rect x="${EDGE.left}" y="0" width="${width - EDGE.left - EDGE.right}" height="${place.height}"/></clipPath>` +
      drawnFaults(place) + drawnRuler(place, state) + faultNames(place) + drawnLines(place) +
      `<g clip-path="url(#messages-clip)">${drawnArrows(header, all, arrows, state)}${operations.svg}${arrowNames(header, all, arrows, state, bars)}</g><g id="messages-over"></g>`;
    svg.dataset.arrows = arrows.length;
    say(seen.there);
  }

  function say(there) {
    const span = `from ${state.from.toFixed(3)} s to ${state.to.toFixed(3)} s`, n = (count) => count.toLocaleString("en");
    const lost = arrows.filter(({ i }) => all.fate[i]).length;
    const what = there > arrows.length ? `${n(arrows.length)} of ${n(there)} messages ${span} are drawn: zoom in to see the rest.` : `${n(there)} messages ${span}.`;
    document.getElementById("messages-said").textContent = what + (lost ? ` ${n(lost)} were lost. ` : " ");
    document.getElementById("messages-from").value = state.from.toFixed(3);
    document.getElementById("messages-to").value = state.to.toFixed(3);
  }

  function zoom(from, to) {
    const width = Math.max(to - from, 1e-5), most = header.to_s - header.from_s + 0.002;
    state.from = Math.max(header.from_s - 0.001, Math.min(from, header.to_s + 0.001 - Math.min(width, most)));
    state.to = state.from + Math.min(width, most);
    draw();
  }
  const scale = (factor, about = (state.from + state.to) / 2) => zoom(about - (about - state.from) * factor, about + (state.to - about) * factor);
  const shift = (share) => zoom(state.from + (state.to - state.from) * share, state.to + (state.to - state.from) * share);

  function mark(chain, n) {
    state.marked = new Set(chain);
    state.chosen = n;
    draw();
  }

  const view = { header, all, state, named, first, draw, zoom, scale, shift, mark };
  spotsOf(view);
  kindsOf(view);
  listenTo(svg, view, { at: nearest, bar: (n) => bars.find((each) => each.n === n), arrow: (i) => arrows.find((each) => each.i === i) });
  box.classList.add("drawn");
  draw();
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(box);
  box.dataset.ready = Math.round(performance.now());

  // The message whose arrow is nearest to the pointer; -1 if there is none within a few pixels.
  function nearest(px, py) {
    let best = -1, distance = 7;
    for (const { i, x1, y1, x2, y2 } of arrows) {
      const along = Math.min(1, Math.max(0, ((px - x1) * (x2 - x1) + (py - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2 || 1)));
      const gap = Math.hypot(x1 + along * (x2 - x1) - px, y1 + along * (y2 - y1) - py);
      if (gap < distance) [best, distance] = [i, gap];
    }
    return best;
  }
}

function knob(text, pressed, click) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  if (pressed !== null) made.setAttribute("aria-pressed", pressed);
  made.addEventListener("click", () => click(made));
  return made;
}

// Buttons that go to what is worth seeing, and the interval as numbers.
function spotsOf(view) {
  const { header, zoom, scale, shift } = view, place = document.getElementById("messages-spots");
  const home = () => zoom(...header.shown);
  place.append(knob(header.judged ? "Violation" : "Back", null, () => (view.mark(view.first, -1), home())));
  for (const [op] of view.named.slice(0, 6)) {
    const end = op[2] < 0 ? op[1] + 50_000 : op[2], margin = Math.max(3000, (end - op[1]) * 0.3);
    place.append(knob(`Process ${op[0]}: ${op[4]}`.slice(0, 40), null, () => zoom((op[1] - margin) / 1e6, (end + margin) / 1e6)));
  }
  const half = (header.shown[1] - header.shown[0]) / 2;
  for (const fault of header.faults.slice(0, 8)) {
    if (fault.from > header.to_s || fault.to < header.from_s) continue;
    place.append(knob(`Fault ${fault.number} begins`, null, () => zoom(fault.from - half, fault.from + half)));
  }
  place.append(knob("←", null, () => shift(-0.5)), knob("→", null, () => shift(0.5)), knob("−", null, () => scale(2)), knob("+", null, () => scale(0.5)));
  const [from, to] = ["messages-from", "messages-to"].map((id) => Object.assign(document.createElement("input"), { id, type: "number", step: "any" }));
  for (const input of [from, to]) input.addEventListener("change", () => Number(to.value) > Number(from.value) && zoom(Number(from.value), Number(to.value)));
  from.setAttribute("aria-label", "from second");
  to.setAttribute("aria-label", "to second");
  const group = Object.assign(document.createElement("span"), { className: "group" });
  group.append("from", from, "s to", to, "s");
  place.append(group);
}

// What is drawn: which types of messages, and the lines of which clients.
function kindsOf({ header, all, state, draw }) {
  const place = document.getElementById("messages-kinds"), counts = new Uint32Array(header.kinds.length);
  all.kind.forEach((kind) => counts[kind]++);
  const families = new Map(); // a request and its answer go together
  const order = [...counts.keys()].filter((kind) => counts[kind]).sort((a, b) => counts[b] - counts[a]);
  for (const kind of order) families.set(header.families[kind], [...(families.get(header.families[kind]) || []), kind]);
  for (const kinds of [...families.values()].slice(0, 24)) {
    const made = knob(kinds.map((kind) => header.kinds[kind] || "(no type)").join(", "), true, () => {
      const off = !state.off.has(kinds[0]);
      kinds.forEach((kind) => (off ? state.off.add(kind) : state.off.delete(kind)));
      made.setAttribute("aria-pressed", !off);
      draw();
    });
    made.style.setProperty("--dot", `var(${header.colours[kinds[0]]})`);
    place.append(made);
  }
  const choice = document.createElement("select");
  choice.setAttribute("aria-label", "clients");
  choice.id = "messages-clients";
  choice.append(new Option(header.judged ? "clients of the verdict" : "some clients", "first"), new Option("all clients in sight", "all"), new Option("no clients", "none"));
  choice.addEventListener("change", () => {
    state.lines = new Set(linesFor(choice.value, header, state));
    draw();
  });
  place.append(choice);
}

function linesFor(wanted, header, state) {
  const here = new Set(header.operations.filter((op) => op[1] < state.to * 1e6 && (op[2] < 0 ? op[1] + 1e6 : op[2]) > state.from * 1e6).map((op) => op[0]));
  const places = [...header.lines.keys()];
  if (wanted === "first") return header.first;
  return places.filter((place) => header.lines[place].process === null || (wanted === "all" && here.has(header.lines[place].process)));
}

function listenTo(svg, { header, all, state, zoom, scale, shift, mark, first }, find) {
  let pressed = null;
  const secondsAt = (pixel) => state.from + ((pixel - EDGE.left) / (svg.clientWidth - EDGE.left - EDGE.right)) * (state.to - state.from);
  const spot = (event) => [event.clientX - svg.getBoundingClientRect().left, event.clientY - svg.getBoundingClientRect().top];
  const over = (text) => (document.getElementById("messages-over").innerHTML = text);
  const barUnder = (event) => (event.target.dataset?.n === undefined ? null : find.bar(Number(event.target.dataset.n)));

  function point(event) {
    const [x, y] = spot(event), bar = barUnder(event), i = bar ? -1 : find.at(x, y);
    over(i < 0 ? "" : marked(find.arrow(i), header, all));
    if (bar) hint.show(event.clientX, event.clientY, [`process ${header.operations[bar.n][0]}: ${bar.text}`, header.operations[bar.n][8], bar.outcome + (bar.open ? ": nobody knows whether and when" : "")]);
    else if (i >= 0) hint.show(event.clientX, event.clientY, told(header, all, i));
    else hint.hide();
  }

  svg.addEventListener("pointerdown", (event) => event.pointerType === "mouse" && (pressed = spot(event)[0]));
  svg.addEventListener("pointermove", (event) => {
    if (pressed === null) return point(event);
    const x = spot(event)[0];
    hint.hide();
    over(`<rect x="${Math.min(x, pressed)}" y="0" width="${Math.abs(x - pressed)}" height="100%" style="fill:var(--ink)" opacity="0.12"/>`);
  });
  addEventListener("pointerup", (event) => {
    if (pressed === null) return;
    const [left, right] = [pressed, spot(event)[0]].sort((a, b) => a - b);
    pressed = null;
    over("");
    if (right - left > 6) zoom(secondsAt(Math.max(left, EDGE.left)), secondsAt(Math.min(right, svg.clientWidth - EDGE.right)));
  });
  svg.addEventListener("click", (event) => {
    const bar = barUnder(event);
    if (bar) mark(state.chosen === bar.n ? first : chainOf(header, all, ...header.operations[bar.n].slice(6, 8)), state.chosen === bar.n ? -1 : bar.n);
    else point(event);
  });
  svg.addEventListener("pointerleave", () => (hint.hide(), over("")));
  svg.addEventListener("dblclick", () => zoom(...header.shown));
  svg.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
    event.preventDefault();
    scale(event.deltaY > 0 ? 1.25 : 0.8, secondsAt(spot(event)[0]));
  }, { passive: false });
  svg.addEventListener("keydown", (event) => {
    const does = { ArrowRight: () => shift(0.2), ArrowLeft: () => shift(-0.2), "+": () => scale(0.5), "-": () => scale(2) }[event.key];
    if (does) (does(), event.preventDefault());
  });
}

addEventListener("DOMContentLoaded", () => {
  if (!document.getElementById("hint")) document.body.append(Object.assign(document.createElement("div"), { id: "hint", hidden: true }));
  startMessages();
});
