// Follows a run: asks every second for the events that were added, and goes to the report at last.
(() => {
  const said = JSON.parse(document.getElementById("said").textContent);
  const counts = { ok: 0, fail: 0, info: 0 }, open = new Map(), faults = new Map(), bands = [];
  const points = { ok: [[], []], fail: [[], []], info: [[], []] };
  const POINTS_MAX = 20000;
  let offset = 0, now = 0, phase = "load";

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const put = (id, text) => (document.getElementById(id).textContent = text);

  function take(event) {
    now = Math.max(now, event.time / 1e9);
    if (typeof event.process !== "number") return note(event);
    if (event.type === "invoke") return open.set(event.process, event.due ?? event.time);
    const due = open.get(event.process);
    open.delete(event.process);
    if (due === undefined || !(event.type in counts)) return;
    counts[event.type] += 1;
    const [x, y] = points[event.type];
    x.push(due / 1e9);
    y.push(Math.max((event.time - due) / 1e6, 0.001));
    if (x.length > POINTS_MAX) [x, y].forEach((list) => list.splice(0, POINTS_MAX / 2));
  }

  function note(event) {
    if (event.f === "leader") put("leader", (event.value || []).join(" ") || "none");
    else if (event.f === "phase") phase = event.value;
    else if (event.f === "heal" && event.type === "ok") (event.value.faults || []).forEach((number) => end(number, event.time / 1e9));
    else if (event.type === "invoke" && event.value?.fault) begin(event);
  }

  function begin(event) {
    const fault = { from: event.time / 1e9, to: null, label: label(event), colour: said.faults[event.f] };
    faults.set(event.value.fault, fault);
    bands.push(fault);
  }

  function end(number, time) {
    if (faults.has(number)) faults.get(number).to = time;
    faults.delete(number);
  }

  function label({ f, value }) {
    const said = value.description || value.target || "";
    return said.startsWith(f) ? said : f + " " + said;
  }

  function show() {
    put("time", now.toFixed(0) + (said.time_limit_s ? " of " + said.time_limit_s : "") + " s");
    Object.entries(counts).forEach(([name, count]) => put(name, count.toLocaleString("en")));
    put("phase", faults.size ? "In force: " + [...faults.values()].map((fault) => fault.label).join("; ") : phase === "load" ? "No fault is in force." : "Phase: " + phase + ".");
    const traces = Object.entries(points).map(([name, [x, y]]) => ({
      type: "scattergl", mode: "markers", x, y, name, hoverinfo: "skip",
      marker: { color: colour(said.colours[name]), size: 4, opacity: name === "ok" ? 0.5 : 0.9 },
    }));
    const ink = colour("--c-1f2328"), grid = colour("--c-d9dee3");
    Plotly.react("charts", traces, {
      height: 420, margin: { l: 74, r: 12, t: 10, b: 40 }, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
      font: { color: ink, family: "system-ui, sans-serif", size: 12 }, legend: { orientation: "h", y: -0.18 }, datarevision: now,
      shapes: bands.map(({ from, to, colour: variable }) => ({
        type: "rect", xref: "x", yref: "paper", x0: from, x1: to ?? now, y0: 0, y1: 1, layer: "below", fillcolor: colour(variable), opacity: 0.4, line: { width: 0 },
      })),
      xaxis: { title: { text: "Time since the run began (s)" }, range: [0, Math.max(said.time_limit_s || 0, now)], gridcolor: grid, zeroline: false },
      yaxis: {
        type: "log", title: { text: "Latency from due time" }, gridcolor: grid, zeroline: false,
        tickvals: [0.1, 1, 10, 100, 1000, 1e4, 1e5], ticktext: ["0.1 ms", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s"],
      },
    }, { responsive: true, displayModeBar: false });
  }

  async function follow() {
    const path = said.path.split("/").map(encodeURIComponent).join("/");
    try {
      const answer = await (await fetch("/live/" + path + "?from=" + offset)).json();
      answer.events.forEach(take);
      offset = answer.next;
      show();
      if (answer.finished) return location.replace("/run/" + path);
      setTimeout(follow, answer.more ? 0 : 1000);
    } catch (error) {
      put("phase", "The server does not answer; trying again.");
      setTimeout(follow, 3000);
    }
  }

  follow();
})();
