// The operations of the run: columns unpacked in place, and what can be said of one of them.

async function unpacked(id) {
  const text = atob(document.getElementById(id).textContent.trim());
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function readOperations(header) {
  const buffer = await unpacked("run-operations");
  const arrays = { float64: Float64Array, uint32: Uint32Array, uint16: Uint16Array, uint8: Uint8Array };
  const ops = { count: header.count };
  let offset = 0;
  for (const [name, type] of header.columns) {
    ops[name] = new arrays[type](buffer, offset, header.count);
    offset += ops[name].byteLength;
  }
  ops.values = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, offset)));
  return Object.assign(ops, inSeconds(ops, header));
}

// Times as seconds. An operation of which nobody heard again lasts to the end of the run.
function inSeconds(ops, header) {
  const scaled = (ticks) => Float64Array.from(ticks, (t) => (t === header.none ? header.end_s : t * header.tick_s));
  const from = scaled(ops.due), sent = scaled(ops.sent), to = scaled(ops.completed);
  const latency = to.map((end, i) => Math.max((end - from[i]) * 1000, 0.001));
  return { from, sent, to, latency };
}

function named(table, code) {
  return code < table.length ? table[code] : null;
}

// "cas [3,4]", "read → 4", "write 5".
function brief(header, ops, i) {
  const f = header.fs[ops.f[i]];
  const input = named(ops.values, ops.input[i]), output = named(ops.values, ops.output[i]);
  return f + (input === null ? "" : " " + input) + (output === null ? "" : " → " + output);
}

function duration(milliseconds) {
  if (milliseconds >= 1000) return (milliseconds / 1000).toLocaleString("en", { maximumFractionDigits: 2 }) + " s";
  return milliseconds.toLocaleString("en", { maximumFractionDigits: milliseconds < 10 ? 2 : 0 }) + " ms";
}

// What the box beside the pointer says of an operation: lines of text.
function described(header, ops, i) {
  const key = named(header.keys, ops.key[i]), error = named(header.errors, ops.error[i]);
  const outcome = header.outcomes[ops.outcome[i]];
  const never = ops.completed[i] === header.none;
  const node = named(header.nodes, ops.node[i]);
  return [
    brief(header, ops, i) + (key === null ? "" : "   (key " + key + ")"),
    outcome + (error === null ? "" : ": " + error) + (never ? ", no answer ever came" : ""),
    "process " + ops.process[i] + (node === null ? "" : " on " + node),
    "due " + ops.from[i].toFixed(3) + " s, took " + duration(ops.latency[i]) +
      (ops.sent[i] - ops.from[i] > 0.001 ? ", of which " + duration((ops.sent[i] - ops.from[i]) * 1000) + " before sending" : ""),
  ];
}

const hint = {
  show(x, y, lines) {
    const box = document.getElementById("hint");
    box.replaceChildren(...lines.map((line, i) => Object.assign(document.createElement(i ? "div" : "b"), { textContent: line })));
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect();
    box.style.left = Math.max(4, Math.min(x + 14, innerWidth - width - 8)) + "px";
    box.style.top = Math.max(4, y + 14 + height > innerHeight ? y - height - 10 : y + 14) + "px";
  },
  hide() {
    document.getElementById("hint").hidden = true;
  },
};

function colour(variable) {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}

// Black or white, whichever can be read on a colour (#rrggbb).
function readableOn(fill) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(fill.slice(at, at + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue > 120 ? "#111" : "#fff";
}
