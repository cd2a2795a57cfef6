// The charts above the timeline, drawn by plotly: latency, availability, nodes and leaders, rate.
// They share the x axis, and with the timeline the stretch of time that is shown.

const SYMBOLS = ["circle", "triangle-up", "square", "diamond", "triangle-down", "pentagon", "x", "hexagon"];
const PANELS = { y: [0.57, 1], y2: [0.37, 0.53], y3: [0.16, 0.34], y4: [0, 0.12] };

function charts(header, ops, view) {
  const place = document.getElementById("charts");
  const webgl = Boolean(document.createElement("canvas").getContext("webgl"));
  let ownZoom = false;

  // One trace for each outcome and f. A mismatch is a store's everyday answer: drawn faintly, in
  // a trace of its own behind the others, it does not drown the failures.
  function latencies() {
    const mismatch = header.errors.indexOf("mismatch");
    const groups = new Map();
    for (let i = 0; i < ops.count; i++) {
      if (!view.shows(i)) continue;
      const name = [ops.outcome[i], ops.f[i], mismatch >= 0 && ops.error[i] === mismatch];
      const group = groups.get(name.join()) || { name, rows: [] };
      if (!group.rows.length) groups.set(name.join(), group);
      group.rows.push(i);
    }
    return [...groups.values()].sort((a, b) => b.name[2] - a.name[2]).map(({ name, rows }) => scatter(rows, header.outcomes[name[0]], name[1], name[2]));
  }

  function scatter(rows, outcome, number, faint) {
    const sure = outcome === "ok";
    return {
      type: webgl ? "scattergl" : "scatter",
      mode: "markers",
      x: Float64Array.from(rows, (i) => ops.from[i]),
      y: Float64Array.from(rows, (i) => ops.latency[i]),
      rows,
      hoverinfo: "none",
      name: outcome + " " + header.fs[number],
      marker: {
        color: colour(header.colours[outcome]),
        symbol: SYMBOLS[number % SYMBOLS.length] + (sure ? "" : "-open"),
        size: ops.count > 20000 ? 4 : sure ? 5 : 7,
        opacity: faint ? 0.3 : sure ? 0.55 : 0.9,
      },
    };
  }

  function availability() {
    const { overall, bound } = header.availability;
    const ink = colour("--c-1f2328"), blue = colour(header.colours.ok);
    const line = (x, y, more) => ({ x, y, yaxis: "y2", mode: "lines", line: { shape: "hv", width: 1, ...more.line }, ...more.rest });
    return [
      line(overall.map((_, s) => s).concat(overall.length), overall.concat(overall.slice(-1)), {
        line: { color: blue },
        rest: { fill: "tozeroy", fillcolor: blue + "99", hovertemplate: "%{y:.0%} of the operations due in<br>second %{x} acknowledged in time<extra></extra>" },
      }),
      line(bound.map((step) => step[0]), bound.map((step) => step[1]), {
        line: { color: ink, width: 1.6, dash: "dash" },
        rest: { hovertemplate: "%{y:.0%} of the nodes can reach a majority<extra></extra>" },
      }),
    ];
  }

  function lanes() {
    const { nodes, by_node: shares, leaders } = header.availability;
    const seconds = shares.length ? shares[0].map((_, s) => s + 0.5) : [];
    const heat = {
      type: "heatmap", x: seconds, y: nodes.map((_, n) => n), z: shares, yaxis: "y3", zmin: 0, zmax: 1, ygap: 9, showscale: false,
      colorscale: [[0, "rgba(127,127,127,.12)"], [1, colour(header.colours.ok)]], text: shares.map((row, n) => row.map(() => nodes[n])),
      hovertemplate: "%{text}: %{z:.0%} acknowledged in time<extra></extra>",
    };
    const lead = nodes.map((node, n) => ({
      x: leaders[node].flatMap(([from, to]) => [from, to, null]), y: leaders[node].flatMap(() => [n - 0.42, n - 0.42, null]),
      yaxis: "y3", mode: "lines", line: { color: colour("--c-1f2328"), width: 4 }, hovertemplate: node + " claims to lead<extra></extra>",
    }));
    return [heat, ...lead];
  }

  function rates() {
    const bins = Math.min(200, Math.max(1, Math.ceil(header.end_s))), width = header.end_s / bins;
    return header.outcomes.map((outcome, code) => {
      const counts = new Float64Array(bins);
      for (let i = 0; i < ops.count; i++) {
        if (ops.outcome[i] === code && view.shows(i)) counts[Math.min(bins - 1, Math.floor(ops.to[i] / width))] += 1 / width;
      }
      return {
        type: "bar", x: Array.from(counts, (_, n) => (n + 0.5) * width), y: counts, yaxis: "y4", width, marker: { color: colour(header.colours[outcome]), line: { width: 0 } },
        hovertemplate: "%{y:.1f} " + outcome + " a second<extra></extra>",
      };
    });
  }

  function layout() {
    const ink = colour("--c-1f2328"), grid = colour("--c-d9dee3");
    const axis = (domain, title, more) => ({ domain, title: { text: title, font: { size: 12 } }, gridcolor: grid, zeroline: false, fixedrange: true, automargin: false, ...more });
    const nodes = header.availability.nodes;
    return {
      height: 860, margin: { l: 74, r: 12, t: 26, b: 40 }, paper_bgcolor: "transparent", plot_bgcolor: "transparent", showlegend: false, barmode: "stack", bargap: 0,
      font: { color: ink, family: "system-ui, sans-serif", size: 12 }, hovermode: "closest", dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      xaxis: { range: [view.from, view.to], gridcolor: grid, zeroline: false, title: { text: "Time since the run began (s)", font: { size: 12 } }, anchor: "y4" },
      yaxis: axis(PANELS.y, "Latency from due time", { type: "log", tickvals: [0.1, 1, 10, 100, 1000, 1e4, 1e5], ticktext: ["0.1 ms", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s"] }),
      yaxis2: axis(PANELS.y2, "Availability", { range: [0, 1.05], tickformat: ".0%", tickvals: [0, 0.5, 1] }),
      yaxis3: axis(PANELS.y3, "", { range: [nodes.length - 0.4, -0.65], tickvals: nodes.map((_, n) => n), ticktext: nodes, showgrid: false }),
      yaxis4: axis(PANELS.y4, "Rate (Hz)", { rangemode: "tozero" }),
      shapes: header.faults.flatMap(band), annotations: header.faults.map(label),
    };
  }

  function band(fault) {
    const whole = { xref: "x", yref: "paper", y0: 0, y1: 1, layer: "below" };
    return [
      { ...whole, type: "rect", x0: fault.from, x1: fault.to, fillcolor: colour(fault.colour), opacity: 0.4, line: { width: 0 } },
      { ...whole, type: "line", x0: fault.from, x1: fault.from, line: { color: colour("--c-636c76"), width: 1 } },
    ];
  }

  // The name of a fault stands above its band, or only its number where there is no room for it.
  function label(fault) {
    const room = ((Math.min(fault.to, view.to) - Math.max(fault.from, view.from)) / (view.to - view.from)) * (place.clientWidth - 90);
    const inSight = fault.to > view.from && fault.from < view.to;
    const text = !inSight ? "" : fault.label.length * 6.3 < room ? fault.label : "#" + fault.number;
    return { text, x: Math.max(fault.from, view.from), xref: "x", y: 1, yref: "paper", xanchor: "left", yanchor: "bottom", showarrow: false, font: { size: 12 } };
  }

  function draw() {
    const traces = [...latencies(), ...availability(), ...lanes(), ...rates()];
    const coarse = matchMedia("(pointer: coarse)").matches;
    const options = { responsive: true, displaylogo: false, displayModeBar: coarse ? false : "hover", modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
    return Plotly.react(place, traces, layout(), options);
  }

  function listen() {
    place.on("plotly_relayout", (change) => {
      if (ownZoom) return;
      const range = change["xaxis.range"] || [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (change["xaxis.autorange"]) view.zoom(0, header.end_s);
      else if (range[0] !== undefined) view.zoom(Number(range[0]), Number(range[1]));
    });
    place.on("plotly_hover", ({ points, event }) => {
      const { data, pointNumber } = points[0];
      if (data.rows) hint.show(event.clientX, event.clientY, described(header, ops, data.rows[pointNumber]));
    });
    place.on("plotly_unhover", hint.hide);
    place.on("plotly_click", ({ points }) => {
      const { data, pointNumber } = points[0];
      if (data.rows) view.choose(data.rows[pointNumber]);
    });
  }

  async function zoom() {
    ownZoom = true;
    await Plotly.relayout(place, { "xaxis.range": [view.from, view.to], annotations: header.faults.map(label) });
    ownZoom = false;
  }

  return { draw, listen, zoom };
}

async function loadPlotly() {
  const script = document.createElement("script");
  script.textContent = new TextDecoder().decode(await unpacked("plotly"));
  document.head.append(script);
}
