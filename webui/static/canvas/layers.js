// What the canvas holds, and its layers: every change is a record, so undo replays the others.

const PAINT = { mask: "255, 45, 85", sketch: "15, 23, 42" };

const find = (selector) => root.querySelector(selector);
const stage = find(".easel-stage"), sheet = find(".easel-sheet"), photo = find("img"), ring = find(".easel-ring");
const size = find("input"), help = find(".easel-help");
const layers = { mask: find("canvas[data-layer=mask]"), sketch: find("canvas[data-layer=sketch]") };
const grownCanvas = find("canvas[data-layer=grown]"), litCanvas = find("canvas[data-layer=lit]");

const state = {
  width: 1, height: 1, layer: "mask", tool: "brush", brush: { mask: 24, sketch: 3 },
  zoom: 1, x: 0, y: 0, fit: 1, grow: 4, invert: false, done: [], undone: [], space: false, scene: null, original: null,
};
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
  if (record.found && last?.found) { state.done.pop(); replay(record.layer); } // another threshold, not more edges
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
