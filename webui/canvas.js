// The drawing canvas: a photo under a Mask and a Sketch layer. Runs once, as `js_on_load` of the page's gr.HTML,
// which hands over `element`, `props` and `watch`. The server sends scenes in props.value; `window.studio` is what
// the page's events and the shortcuts call.
//
// Why not gr.ImageEditor: layers that Python puts on it are drawn at the wrong place and lose their names (6.31), it
// uploads photo and layers at every event, and it has no shortcuts.

const PAINT = { mask: "255, 45, 85", sketch: "15, 23, 42" };
const GROWN = "rgb(255, 180, 40)";
const PREVIEW_SIDE = 700; // the ring that growing adds is worked out on a copy of this size
const WIDEST = { mask: 100, sketch: 24 }; // of the brush, in the slider's units
const SIZE_TITLE = { mask: "Brush size: [ and ]", sketch: "Thickness of lines: [ and ]" };

const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
const tool = (name, label, title, path) =>
  `<button type="button" data-tool="${name}" aria-label="${label}" title="${title}">${icon(path)}</button>`;

const root = document.createElement("div");
root.className = "easel";
root.innerHTML = `
  <div class="easel-bar" role="toolbar" aria-label="Drawing tools">
    <span class="easel-layers" role="group" aria-label="Layer">
      <button type="button" data-layer="mask" aria-label="Mask layer" title="What is to be filled">Mask</button>
      <button type="button" data-layer="sketch" aria-label="Sketch layer" title="Edges you want in the fill">Sketch</button>
    </span>
    <span class="easel-group">
      ${tool("brush", "Brush", "Brush", "M15 4l5 5-9.5 9.5-5-5L15 4zM4.5 15l4.5 4.5L3 21l1.5-6z")}
      ${tool("erase", "Erase", "Eraser", "M14 4l6 6-9 9H7l-4-4L14 4zM9 9l6 6M12 20h9")}
      ${tool("pan", "Pan", "Move (hold Space)", "M12 3v18M3 12h18M12 3l-2.5 2.5M12 3l2.5 2.5M12 21l-2.5-2.5M12 21l2.5-2.5M3 12l2.5-2.5M3 12l2.5 2.5M21 12l-2.5-2.5M21 12l-2.5 2.5")}
    </span>
    <label class="easel-size"><span class="dot"></span>
      <input type="range" min="1" max="100" value="24" aria-label="Brush Size"></label>
    <button type="button" data-tool="edges" class="easel-edges" aria-label="Draw the photo's edges" title="Puts the photo's edges in and around the mask on this layer; erase and redraw them">Auto edges</button>
    <span class="easel-group">
      ${tool("undo", "Undo", "Undo (Ctrl+Z)", "M8 5L3 10l5 5M3 10h11a6 6 0 0 1 0 12h-3")}
      ${tool("redo", "Redo", "Redo (Ctrl+Shift+Z)", "M16 5l5 5-5 5M21 10H10a6 6 0 0 0 0 12h3")}
      ${tool("clear", "Clear canvas", "Clear this layer", "M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6")}
    </span>
    <span class="easel-group">
      ${tool("out", "Zoom out", "Zoom out", "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM20 20l-4.7-4.7M7.5 10.5h6")}
      ${tool("fit", "Reset zoom", "Whole photo (Esc)", "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5")}
      ${tool("in", "Zoom in", "Zoom in (Ctrl+wheel)", "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM20 20l-4.7-4.7M7.5 10.5h6M10.5 7.5v6")}
    </span>
    <button type="button" data-tool="help" class="easel-help-button" aria-label="Help" title="Keys (H)">?</button>
  </div>
  <div class="easel-stage" tabindex="0" aria-label="Canvas: paint over what is to be filled">
    <div class="easel-sheet"><img alt="" draggable="false"><canvas data-layer="grown"></canvas><canvas data-layer="mask"></canvas><canvas data-layer="sketch"></canvas><canvas data-layer="lit"></canvas></div>
    <div class="easel-ring"></div>
    <div class="easel-help" hidden><b>Keys</b><dl>
      <dt>[ &nbsp; ]</dt><dd>brush size</dd><dt>Ctrl+Z</dt><dd>undo</dd><dt>Ctrl+Shift+Z</dt><dd>redo</dd>
      <dt>Space + drag</dt><dd>move the photo</dd><dt>Ctrl + wheel</dt><dd>zoom</dd><dt>Esc</dt><dd>whole photo</dd>
      <dt>hold Tab</dt><dd>see the original (pointer over the canvas)</dd><dt>Shift+R</dt><dd>fill</dd>
      <dt>Ctrl+S</dt><dd>save the result</dd><dt>H</dt><dd>this help</dd></dl>
      Drop or paste a photo anywhere on the page.</div>
  </div>`;
element.replaceChildren(root);

const find = (selector) => root.querySelector(selector);
const stage = find(".easel-stage"), sheet = find(".easel-sheet"), photo = find("img"), ring = find(".easel-ring");
const size = find("input"), help = find(".easel-help");
const layers = { mask: find("canvas[data-layer=mask]"), sketch: find("canvas[data-layer=sketch]") };
const grownCanvas = find("canvas[data-layer=grown]"), litCanvas = find("canvas[data-layer=lit]");

const state = {
  width: 1, height: 1, layer: "mask", tool: "brush", brush: { mask: 24, sketch: 3 },
  zoom: 1, x: 0, y: 0, fit: 1, grow: 4, flip: false, done: [], undone: [], space: false, scene: null, original: null,
};

// ---- layers: every change is a record, so undo replays the others

function play(record) {
  const context = layers[record.layer].getContext("2d");
  if (replaces(record)) context.clearRect(0, 0, state.width, state.height);
  if (record.kind === "image") context.drawImage(record.image, 0, 0, state.width, state.height);
  if (record.kind === "stroke") drawSegment(context, record, 0);
}

// true where what was on the layer before no longer matters; found edges come on top of what was drawn by hand
const replaces = (record) => record.kind === "clear" || (record.kind === "image" && !record.found);

function drawSegment(context, stroke, from) {
  context.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
  context.strokeStyle = `rgb(${PAINT[stroke.layer]})`;
  context.lineWidth = stroke.size;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  const points = stroke.points;
  context.moveTo(points[from][0], points[from][1]);
  if (points.length === 1) context.lineTo(points[0][0] + 0.01, points[0][1]);
  for (let i = from + 1; i < points.length; i++) context.lineTo(points[i][0], points[i][1]);
  context.stroke();
  context.globalCompositeOperation = "source-over";
}

function replay(layer) {
  layers[layer].getContext("2d").clearRect(0, 0, state.width, state.height);
  const records = state.done.filter((record) => record.layer === layer);
  const start = Math.max(0, records.findLastIndex(replaces));
  records.slice(start).forEach(play);
}

function commit(record, played = false) {
  const last = state.done.at(-1);
  if (record.found && last?.found) { state.done.pop(); replay(record.layer); } // another strength, not more edges
  state.done.push(record);
  state.undone = [];
  if (!played) play(record);
  changed();
}

function undo() { const record = state.done.pop(); if (record) { state.undone.push(record); replay(record.layer); changed(); } }
function redo() { const record = state.undone.pop(); if (record) { state.done.push(record); play(record); changed(); } }

function changed() {
  find("[data-tool=undo]").disabled = !state.done.length;
  find("[data-tool=redo]").disabled = !state.undone.length;
  showGrown();
}

// ---- what growing or flipping the mask will add, in amber

let growing = 0;
function showGrown() {
  cancelAnimationFrame(growing);
  growing = requestAnimationFrame(() => {
    const scale = Math.min(1, PREVIEW_SIDE / Math.max(state.width, state.height));
    const width = grownCanvas.width = Math.max(1, Math.round(state.width * scale));
    const height = grownCanvas.height = Math.max(1, Math.round(state.height * scale));
    const context = grownCanvas.getContext("2d");
    context.drawImage(layers.mask, 0, 0, width, height);
    let left = state.grow * scale, step = 1;
    const copy = document.createElement("canvas");
    copy.width = width; copy.height = height;
    const spare = copy.getContext("2d");
    while (left > 0.2) { // steps that double leave no gaps, and sixteen directions are nearly a disc
      const reach = Math.min(step, left);
      spare.globalCompositeOperation = "copy";
      spare.drawImage(grownCanvas, 0, 0);
      for (let i = 0; i < 16; i++)
        context.drawImage(copy, reach * Math.cos(i * Math.PI / 8), reach * Math.sin(i * Math.PI / 8));
      left -= reach; step *= 2;
    }
    context.fillStyle = GROWN;
    if (state.flip) { // everything but the strokes
      context.globalCompositeOperation = "copy";
      context.fillRect(0, 0, width, height);
    } else {
      context.globalCompositeOperation = "source-in";
      context.fillRect(0, 0, width, height);
    }
    context.globalCompositeOperation = "destination-out";
    context.drawImage(layers.mask, 0, 0, width, height);
    context.globalCompositeOperation = "source-over";
    showLit();
  });
}

// ---- lines inside of the hole are lit; those outside, which no method looks at, stay dimmed

let lighting = 0;
const insideCanvas = document.createElement("canvas"), rimCanvas = document.createElement("canvas");
function showLit() {
  cancelAnimationFrame(lighting);
  lighting = requestAnimationFrame(() => {
    const { width, height } = state;
    const [lit, inside, rim] = [litCanvas, insideCanvas, rimCanvas].map((canvas) => {
      canvas.width = width; canvas.height = height;
      return canvas.getContext("2d");
    });
    if (masked()) { // the hole, and of the lines what falls into it
      inside.drawImage(layers.mask, 0, 0);
      inside.drawImage(grownCanvas, 0, 0, width, height);
      inside.globalCompositeOperation = "source-in";
    }
    inside.drawImage(layers.sketch, 0, 0);
    const reach = 1.3 / Math.min(1, state.fit || 1); // dark lines with a light rim are seen on any photo
    for (let i = 0; i < 8; i++)
      rim.drawImage(insideCanvas, reach * Math.cos(i * Math.PI / 4), reach * Math.sin(i * Math.PI / 4));
    rim.globalCompositeOperation = "source-in";
    rim.fillStyle = "#fff";
    rim.fillRect(0, 0, width, height);
    lit.drawImage(rimCanvas, 0, 0);
    lit.drawImage(insideCanvas, 0, 0);
  });
}

function masked() {
  const records = state.done.filter((record) => record.layer === "mask");
  const start = Math.max(0, records.findLastIndex((record) => record.kind === "clear"));
  return state.flip || records.slice(start).some((record) => record.kind !== "clear" && !record.erase);
}

// ---- the view: sheet pixels to screen pixels

function layOut() {
  const width = stage.clientWidth;
  if (!width || !state.scene) return;
  const height = Math.max(180, Math.min(width * state.height / state.width, window.innerHeight * 0.66));
  stage.style.height = `${Math.round(height)}px`;
  state.fit = Math.min(width / state.width, height / state.height);
  place();
}

function place() {
  const scale = state.fit * state.zoom;
  const free = [stage.clientWidth - state.width * scale, stage.clientHeight - state.height * scale];
  const inside = (at, room) => (room >= 0 ? room / 2 : Math.min(0, Math.max(room, at)));
  state.x = inside(state.x, free[0]);
  state.y = inside(state.y, free[1]);
  sheet.style.transform = `translate(${state.x}px, ${state.y}px) scale(${scale})`;
  sheet.style.setProperty("image-rendering", scale > 3 ? "pixelated" : "auto");
}

function zoomBy(factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const zoom = Math.min(16, Math.max(1, state.zoom * factor)), ratio = zoom / state.zoom;
  state.x = x - (x - state.x) * ratio;
  state.y = y - (y - state.y) * ratio;
  state.zoom = zoom;
  place();
}

function resetZoom() { state.zoom = 1; state.x = state.y = 0; place(); help.hidden = true; }

function toSheet(event) {
  const box = stage.getBoundingClientRect(), scale = state.fit * state.zoom;
  return [(event.clientX - box.left - state.x) / scale, (event.clientY - box.top - state.y) / scale];
}

// ---- tools

function setLayer(layer) {
  state.layer = layer;
  size.max = WIDEST[layer]; // before the value, which it would cut
  size.value = state.brush[layer];
  refresh();
}
function setTool(name) { state.tool = name; refresh(); }
function setBrush(value) { size.value = value; state.brush[state.layer] = Number(size.value); refresh(); }
function stepBrush(sign) {
  const now = state.brush[state.layer];
  setBrush(Math.min(WIDEST[state.layer], Math.max(1, now + sign * Math.max(1, Math.round(now * 0.15)))));
}

// the slider's units follow the photo: 100 is a sixth of its longer side
const brushPixels = (layer = state.layer) => Math.max(1, state.brush[layer] / 600 * Math.max(state.width, state.height));

function refresh() {
  root.querySelectorAll("button[data-layer]").forEach((b) => b.setAttribute("aria-pressed", b.dataset.layer === state.layer));
  root.querySelectorAll("[data-tool=brush], [data-tool=erase], [data-tool=pan]").forEach((b) =>
    b.setAttribute("aria-pressed", b.dataset.tool === (state.space ? "pan" : state.tool)));
  root.dataset.layer = state.layer;
  find(".easel-size").title = SIZE_TITLE[state.layer];
  stage.dataset.tool = state.space ? "pan" : state.tool;
  const side = Math.max(2, brushPixels() * state.fit * state.zoom);
  ring.style.width = ring.style.height = `${side}px`;
  ring.style.borderColor = state.tool === "erase" ? "#fff" : `rgb(${PAINT[state.layer]})`;
}

root.querySelector(".easel-bar").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.layer) return setLayer(button.dataset.layer);
  const acts = {
    undo, redo, clear: () => commit({ kind: "clear", layer: state.layer }), in: () => { zoomBy(1.5); refresh(); },
    out: () => { zoomBy(1 / 1.5); refresh(); }, fit: () => { resetZoom(); refresh(); }, help: toggleHelp,
    edges: () => document.querySelector("button#canvas-auto-edges, #canvas-auto-edges button").click(),
  };
  const name = button.dataset.tool;
  acts[name] ? acts[name]() : setTool(name);
});
size.addEventListener("input", () => setBrush(size.value));
function toggleHelp() { help.hidden = !help.hidden; }

// ---- pointers: one paints or moves, two fingers zoom

const pointers = new Map();
let stroke = null, pinch = null;

stage.addEventListener("pointerdown", (event) => {
  if (!state.scene || event.button > 1) return;
  event.preventDefault();
  stage.focus({ preventScroll: true });
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event);
  if (pointers.size === 2) {
    if (stroke) { stroke = null; replay(state.layer); showLit(); } // the first finger was the start of a pinch
    pinch = spread();
  } else if (!state.space && state.tool !== "pan" && event.button === 0) {
    stroke = { kind: "stroke", layer: state.layer, erase: state.tool === "erase", size: brushPixels(), points: [toSheet(event)] };
    drawSegment(layers[stroke.layer].getContext("2d"), stroke, 0);
    if (stroke.layer === "sketch") showLit();
  }
});

stage.addEventListener("pointermove", (event) => {
  const box = stage.getBoundingClientRect();
  ring.style.left = `${event.clientX - box.left}px`;
  ring.style.top = `${event.clientY - box.top}px`;
  const before = pointers.get(event.pointerId);
  if (!before) return;
  pointers.set(event.pointerId, event);
  if (pinch) {
    const now = spread();
    state.x += now.x - pinch.x; state.y += now.y - pinch.y;
    zoomBy(now.distance / pinch.distance, now.x, now.y);
    pinch = now;
  } else if (stroke) {
    const from = stroke.points.length - 1;
    const moves = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const each of moves.length ? moves : [event]) stroke.points.push(toSheet(each));
    drawSegment(layers[stroke.layer].getContext("2d"), stroke, from);
    if (stroke.layer === "sketch") showLit();
  } else if (pointers.size === 1) {
    state.x += event.clientX - before.clientX; state.y += event.clientY - before.clientY;
    place();
  }
});

function lift(event) {
  pointers.delete(event.pointerId);
  if (pointers.size < 2) pinch = null;
  if (stroke) { const finished = stroke; stroke = null; commit(finished, true); }
  refresh();
}
stage.addEventListener("pointerup", lift);
stage.addEventListener("pointercancel", lift);

function spread() {
  const box = stage.getBoundingClientRect(), [a, b] = [...pointers.values()];
  return {
    x: (a.clientX + b.clientX) / 2 - box.left, y: (a.clientY + b.clientY) / 2 - box.top,
    distance: Math.max(1, Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)),
  };
}

stage.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return; // the plain wheel scrolls the page
  event.preventDefault();
  const box = stage.getBoundingClientRect();
  zoomBy(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
  refresh();
}, { passive: false });

// ---- scenes from the server, strokes to the server

function load(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = url;
  });
}

let turn = 0;
async function show(scene) {
  if (!scene || scene.id === state.scene?.id) return;
  if (!root.isConnected) element.replaceChildren(root);
  const mine = ++turn;
  const [back, mask, sketch] = await Promise.all(["photo", "mask", "sketch"].map((key) => scene[key] && load(scene[key])));
  if (mine !== turn) return; // a newer scene came while this one was loading
  if (back) {
    Object.assign(state, { width: scene.width, height: scene.height, done: [], undone: [], scene, zoom: 1, x: 0, y: 0 });
    state.original = scene.original || null;
    photo.src = scene.photo;
    for (const each of [photo, layers.mask, layers.sketch]) { each.width = scene.width; each.height = scene.height; }
    sheet.style.width = `${scene.width}px`;
    sheet.style.height = `${scene.height}px`;
    stage.classList.add("ready");
    layOut();
  }
  if (mask) commit({ kind: "image", layer: "mask", image: mask });
  if (sketch) commit({ kind: "image", layer: "sketch", image: sketch, found: scene.found });
  state.scene = scene;
  changed();
  refresh();
}

function strokes() {
  if (!state.scene) return null;
  return { mask: layers.mask.toDataURL("image/png"), sketch: layers.sketch.toDataURL("image/png") };
}

function showOriginal(on) {
  stage.classList.toggle("original", on);
  if (state.original) photo.src = on ? state.original : state.scene.photo || photo.src;
}

window.studio = {
  undo, redo, stepBrush, resetZoom, toggleHelp, strokes, showOriginal, setLayer,
  hovered: () => stage.matches(":hover"),
  holdSpace(on) { if (state.space !== on) { state.space = on; refresh(); } },
  setGrow(value) { state.grow = Number(value); showGrown(); },
  thickness: () => brushPixels("sketch"),
  setFlip(value) { state.flip = Boolean(value); showGrown(); },
  download() { setTimeout(() => document.querySelector("#download-file").click(), 200); },
};

new ResizeObserver(() => { layOut(); refresh(); }).observe(stage);
window.addEventListener("resize", layOut);
watch("value", () => show(props.value));
changed();
refresh();
show(props.value);
