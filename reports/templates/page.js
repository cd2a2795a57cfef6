// Ties the page together: what is shown (a stretch of time, and which operations), the switches
// that change it, and the drawings that follow.

async function start() {
  const header = JSON.parse(document.getElementById("run-header").textContent);
  const ops = await readOperations(header);
  const off = { f: new Set(), outcome: new Set(), node: new Set(), key: null };
  const drawings = [];

  const view = {
    from: 0,
    to: header.end_s,
    shows: (i) => !off.f.has(ops.f[i]) && !off.outcome.has(ops.outcome[i]) && !off.node.has(ops.node[i]) && (off.key === null || ops.key[i] === off.key),
    zoom(from, to) {
      const width = Math.min(Math.max(to - from, 1e-4), header.end_s);
      this.from = Math.min(Math.max(0, from), header.end_s - width);
      this.to = this.from + width;
      drawings.forEach((drawing) => (drawing.zoom || drawing.draw)());
    },
    scale(factor, about = (this.from + this.to) / 2) {
      this.zoom(about - (about - this.from) * factor, about + (this.to - about) * factor);
    },
    chosen: -1,
    choose(i) {
      const margin = Math.max(0.05, (ops.to[i] - ops.from[i]) * 0.5);
      this.chosen = i;
      this.zoom(ops.from[i] - margin, ops.to[i] + margin);
      document.getElementById("timeline")?.scrollIntoView({ block: "nearest" });
    },
    redraw: () => drawings.forEach((drawing) => drawing.draw()),
  };

  // What is drawn on is there only if its section could be made.
  const there = (id) => document.getElementById(id) !== null;
  if (there("switches")) switches(header, off, view);
  if (there("spots")) spots(header, ops, off, view);
  if (there("timeline")) drawings.push(timeline(header, ops, view));
  view.redraw();
  document.body.classList.add("live");
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => (each.open = true)));
  document.body.dataset.live = Math.round(performance.now());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => requestAnimationFrame(view.redraw));
  if (!there("charts")) return;
  // The plotting library is large: the page is there to be read before it is.
  await new Promise((resolve) => setTimeout(resolve, 30));
  await loadPlotly();
  document.body.classList.add("charted");
  const drawn = charts(header, ops, view);
  await drawn.draw();
  drawn.listen();
  drawings.push(drawn);
  document.body.dataset.ready = Math.round(performance.now());
}

function button(text, pressed, click) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  if (pressed !== null) made.setAttribute("aria-pressed", pressed);
  made.addEventListener("click", () => click(made));
  return made;
}

function switches(header, off, view) {
  const place = document.getElementById("switches");
  for (const [kind, names] of [["outcome", header.outcomes], ["f", header.fs], ["node", header.nodes]]) {
    const group = Object.assign(document.createElement("span"), { className: "group" });
    group.append(kind);
    names.forEach((name, code) => {
      const made = button(name, true, () => {
        const on = !off[kind].delete(code) && !off[kind].add(code);
        made.setAttribute("aria-pressed", !off[kind].has(code));
        view.redraw();
        return on;
      });
      if (kind === "outcome") made.style.setProperty("--dot", `var(${header.colours[name]})`);
      group.append(made);
    });
    place.append(group);
  }
  if (header.keys.length > 1) place.append(keyChoice(header, off, view));
}

function keyChoice(header, off, view) {
  const choice = document.createElement("select");
  choice.append(new Option("all keys", ""));
  header.keys.slice(0, 2000).forEach((key, code) => choice.append(new Option("key " + key, code)));
  choice.setAttribute("aria-label", "key");
  choice.id = "key";
  choice.addEventListener("change", () => {
    off.key = choice.value === "" ? null : Number(choice.value);
    view.redraw();
  });
  return choice;
}

// Buttons that go to what is worth seeing: the whole run, each fault, the contradiction.
function spots(header, ops, off, view) {
  const place = document.getElementById("spots");
  place.append(button("Whole run", null, () => view.zoom(0, header.end_s)));
  for (const fault of header.faults.slice(0, 12)) {
    const margin = Math.max(2, (fault.to - fault.from) * 0.1);
    place.append(button("Fault " + fault.number, null, () => view.zoom(fault.from - margin, fault.to + margin)));
  }
  if (header.counterexample.length) {
    place.append(button("Contradiction", null, () => showContradiction(header, ops, off, view)));
    document.getElementById("to-contradiction")?.addEventListener("click", () => {
      showContradiction(header, ops, off, view);
      document.getElementById("timeline")?.scrollIntoView({ block: "center" });
    });
  }
  place.append(button("−", null, () => view.scale(2)), button("+", null, () => view.scale(0.5)));
}

function showContradiction(header, ops, off, view) {
  const rows = new Set(header.counterexample);
  const found = [];
  for (let i = 0; i < ops.count; i++) if (rows.has(ops.row[i])) found.push(i);
  const choice = document.getElementById("key");
  if (choice) {
    choice.value = ops.key[found[0]];
    off.key = named(header.keys, ops.key[found[0]]) === null ? null : ops.key[found[0]];
  }
  const from = Math.min(...found.map((i) => ops.from[i])), to = Math.max(...found.map((i) => ops.to[i]));
  const margin = Math.max(0.02, (to - from) * 0.15);
  view.zoom(from - margin, to + margin);
  view.redraw();
}

start();
