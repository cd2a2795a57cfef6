// Every operation as a bar on its worker's lane, to the scale of time. Drawn on a canvas, since
// hundreds of thousands of elements would be too many; only what is in sight is drawn.

// The gutter and the right margin are those of the charts above, so that times stand in line.
const GUTTER = 74, RIGHT = 12, RULER = 22;

function timeline(header, ops, view) {
  const canvas = document.getElementById("timeline");
  const lanes = header.lanes.length;
  const lane = Math.max(4, Math.min(22, Math.floor(640 / Math.max(1, lanes))));
  const contradicting = new Set(header.counterexample);
  const marked = (i) => contradicting.has(ops.row[i]) || i === view.chosen;
  let width = 0, scale = 1;

  const room = () => width - GUTTER - RIGHT;
  const x = (seconds) => GUTTER + ((seconds - view.from) / (view.to - view.from)) * room();
  const secondsAt = (pixel) => view.from + ((pixel - GUTTER) / room()) * (view.to - view.from);

  function prepare() {
    width = canvas.clientWidth;
    scale = devicePixelRatio || 1;
    const height = RULER + lanes * lane + 2;
    canvas.style.height = height + "px";
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    return context;
  }

  function draw() {
    const context = prepare();
    if (room() <= 0) return;
    const ink = colour("--c-1f2328"), muted = colour("--c-636c76"), grid = colour("--c-d9dee3");
    const paint = header.outcomes.map((name) => colour(header.colours[name]));
    context.save();
    context.beginPath();
    context.rect(GUTTER, 0, room(), canvas.height);
    context.clip();
    drawFaults(context);
    drawRuler(context, grid, muted);
    drawOperations(context, paint, ink);
    context.restore();
    drawLaneNames(context, grid, muted);
  }

  function drawFaults(context) {
    context.globalAlpha = 0.4;
    for (const fault of header.faults) {
      context.fillStyle = colour(fault.colour);
      context.fillRect(x(fault.from), 0, Math.max(1, x(fault.to) - x(fault.from)), RULER + lanes * lane);
    }
    context.globalAlpha = 1;
  }

  function drawRuler(context, grid, muted) {
    const wanted = ((view.to - view.from) / room()) * 90;
    const power = 10 ** Math.floor(Math.log10(wanted));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= wanted);
    const digits = Math.max(0, -Math.floor(Math.log10(step)));
    for (let n = Math.ceil(view.from / step); n * step <= view.to; n++) {
      context.fillStyle = grid;
      context.fillRect(Math.round(x(n * step)), RULER - 4, 1, lanes * lane + 4);
      context.fillStyle = muted;
      const text = (n * step).toFixed(digits) + " s", at = x(n * step) + 3;
      if (at + context.measureText(text).width < width - RIGHT) context.fillText(text, at, RULER / 2 - 1);
    }
  }

  // Bars that would fall on the very pixels of an earlier one are left out.
  function drawOperations(context, paint, ink) {
    const last = new Int32Array(lanes * 4).fill(-1);
    const inSight = [];
    for (let i = 0; i < ops.count; i++) {
      const open = header.outcomes[ops.outcome[i]] === "info";
      if (!view.shows(i) || ops.from[i] > view.to || (ops.to[i] < view.from && !open)) continue;
      const slot = ops.lane[i] * 4 + ops.outcome[i], pixel = Math.floor(x(ops.to[i]));
      if (pixel === last[slot] && !marked(i)) continue;
      last[slot] = pixel;
      inSight.push(i);
      drawEnds(context, i, open, paint[ops.outcome[i]]);
    }
    for (const i of inSight) if (ops.to[i] >= view.from) drawBar(context, i, paint[ops.outcome[i]], ink);
  }

  // How long it waited to be sent; and where nobody knows when it took effect, if ever, that it
  // stays open to the right.
  function drawEnds(context, i, open, fill) {
    const top = RULER + ops.lane[i] * lane + 1;
    context.globalAlpha = 0.5;
    context.fillStyle = fill;
    if (ops.sent[i] > ops.from[i]) context.fillRect(x(ops.from[i]), top, x(ops.sent[i]) - x(ops.from[i]), 1);
    if (open) context.fillRect(x(ops.to[i]), top + lane - 4, width - x(ops.to[i]), 1.5);
    context.globalAlpha = 1;
  }

  function drawBar(context, i, fill, ink) {
    const left = x(ops.sent[i]), wide = Math.max(1.5, x(ops.to[i]) - left);
    const top = RULER + ops.lane[i] * lane + 2, height = Math.max(2, lane - 4);
    const bold = marked(i);
    context.fillStyle = fill;
    context.globalAlpha = contradicting.size && !bold ? 0.45 : 0.9;
    context.fillRect(left, top, wide, height);
    context.globalAlpha = 1;
    if (bold) {
      context.strokeStyle = ink;
      context.lineWidth = 1.5;
      context.strokeRect(left, top, wide, height);
    }
    if (wide > 46 && height > 10) drawLabel(context, i, left, top, wide, height, contradicting.size && !bold ? ink : readableOn(fill));
  }

  function drawLabel(context, i, left, top, wide, height, text) {
    context.save();
    context.beginPath();
    context.rect(left, top, wide - 2, height);
    context.clip();
    context.fillStyle = text;
    context.fillText(brief(header, ops, i), Math.max(left, GUTTER) + 4, top + height / 2 + 0.5);
    context.restore();
  }

  function drawLaneNames(context, grid, muted) {
    const every = Math.ceil(12 / lane);
    for (let n = 0; n < lanes; n++) {
      const node = header.lanes[n].split(" · ")[0], first = n === 0 || node !== header.lanes[n - 1].split(" · ")[0];
      context.fillStyle = grid;
      if (first) context.fillRect(0, RULER + n * lane - 0.5, width, 1);
      context.fillStyle = muted;
      if (n % every === 0 || first) context.fillText(header.lanes[n], 2, RULER + (n + 0.5) * lane, GUTTER - 6);
    }
  }

  // The operation under the pointer, or the nearest within a few pixels; -1 if there is none.
  function at(pixelX, pixelY) {
    const wanted = Math.floor((pixelY - RULER) / lane);
    let best = -1, distance = 6;
    for (let i = 0; i < ops.count; i++) {
      if (ops.lane[i] !== wanted || !view.shows(i)) continue;
      const gap = Math.max(x(ops.sent[i]) - pixelX, pixelX - x(ops.to[i]), 0);
      if (gap < distance) [best, distance] = [i, gap];
    }
    return best;
  }

  function listen() {
    let pressed = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse") pressed = event.offsetX;
    });
    canvas.addEventListener("pointermove", (event) => {
      const i = at(event.offsetX, event.offsetY);
      if (i < 0 || pressed !== null) hint.hide();
      else hint.show(event.clientX, event.clientY, described(header, ops, i));
      if (pressed !== null) select(pressed, event.offsetX);
    });
    addEventListener("pointerup", (event) => {
      if (pressed === null) return;
      const bounds = canvas.getBoundingClientRect();
      const [left, right] = [pressed, event.clientX - bounds.left].sort((a, b) => a - b);
      pressed = null;
      if (right - left > 6) view.zoom(secondsAt(Math.max(left, GUTTER)), secondsAt(Math.min(right, width - RIGHT)));
      else draw();
    });
    canvas.addEventListener("pointerleave", hint.hide);
    canvas.addEventListener("dblclick", () => view.zoom(0, header.end_s));
    canvas.addEventListener("wheel", wheel, { passive: false });
    canvas.addEventListener("keydown", key);
    new ResizeObserver(() => requestAnimationFrame(draw)).observe(canvas.parentElement);
  }

  function select(from, to) {
    draw();
    const context = canvas.getContext("2d");
    context.globalAlpha = 0.15;
    context.fillStyle = colour("--c-1f2328");
    context.fillRect(Math.min(from, to), 0, Math.abs(to - from), canvas.height);
    context.globalAlpha = 1;
  }

  // A plain wheel scrolls the page; with Ctrl or Cmd it zooms about the pointer.
  function wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    view.scale(event.deltaY > 0 ? 1.25 : 0.8, secondsAt(event.offsetX));
  }

  function key(event) {
    const shift = (view.to - view.from) / 5;
    if (event.key === "ArrowRight") view.zoom(view.from + shift, view.to + shift);
    else if (event.key === "ArrowLeft") view.zoom(view.from - shift, view.to - shift);
    else if (event.key === "+") view.scale(0.5);
    else if (event.key === "-") view.scale(2);
    else return;
    event.preventDefault();
  }

  listen();
  return { draw };
}
