// What is painted: every change of a layer is a record, so undo replays the others. Each layer has its own undo.

const PAINT = { mask: "255, 45, 85", sketch: "15, 23, 42" };
const ERASER_RIM = 3; // pixels an eraser is wider than the brush, so that nothing soft stays of a stroke it goes along

const find = (selector) => root.querySelector(selector);
const stage = find(".easel-stage"), sheet = find(".easel-sheet"), ring = find(".easel-ring");
const size = find("input"), help = find(".easel-help");
const canvasOf = (layer) => find(`canvas[data-layer=${layer}]`);
const layers = { mask: canvasOf("mask"), sketch: canvasOf("sketch") };
const photoCanvas = canvasOf("photo"), liveCanvas = canvasOf("live"), coloursCanvas = canvasOf("colours");
const grownCanvas = canvasOf("grown"), litCanvas = canvasOf("lit"), draftCanvas = canvasOf("draft");

const unpainted = () => ({ mask: { done: [], undone: [] }, sketch: { done: [], undone: [] } });
const state = {
  width: 1, height: 1, layer: "mask", tool: "brush", brush: { mask: 24, sketch: 3, colour: 12 }, pen: "edge", colour: "#c0392b",
  zoom: 1, x: 0, y: 0, fit: 1, grow: 4, invert: false, painted: unpainted(), space: false, scene: null, session: null,
};

// Edges and dabs of colour are both the Sketch layer's: one undo, one eraser, two canvases.
function canvasesOf(record) {
  if (record.layer === "mask") return [layers.mask];
  if (record.colour) return [coloursCanvas];
  return record.erase || replaces(record) ? [layers.sketch, coloursCanvas] : [layers.sketch];
}

function play(record) {
  for (const canvas of canvasesOf(record)) {
    const context = canvas.getContext("2d");
    if (replaces(record)) context.clearRect(0, 0, state.width, state.height);
    if (record.kind === "stroke") drawSegment(context, record, 0);
    if (record.kind === "shape") drawShape(context, record);
  }
  if (record.kind === "image") layers[record.layer].getContext("2d").drawImage(record.image, 0, 0, state.width, state.height);
}

// true where what was on the layer before no longer matters; found edges and found objects come on top of it
const replaces = (record) => record.kind === "clear" || (record.kind === "image" && !record.found && !record.add);

function setPaint(context, record) {
  context.globalCompositeOperation = record.erase ? "destination-out" : "source-over";
  context.strokeStyle = context.fillStyle = record.colour || `rgb(${PAINT[record.layer]})`;
  context.lineCap = context.lineJoin = "round";
}

function drawSegment(context, stroke, from) {
  setPaint(context, stroke);
  context.lineWidth = stroke.size + (stroke.erase ? ERASER_RIM : 0);
  context.beginPath();
  const points = stroke.points;
  context.moveTo(points[from][0], points[from][1]);
  if (points.length === 1) context.lineTo(points[0][0] + 0.01, points[0][1]);
  for (let i = from + 1; i < points.length; i++) context.lineTo(points[i][0], points[i][1]);
  context.stroke();
  context.globalCompositeOperation = "source-over";
}

// An area of the mask or of a colour is painted whole; of edges only its outline is.
function drawShape(context, shape) {
  setPaint(context, shape);
  const outlined = shape.layer === "sketch" && !shape.colour && !shape.erase;
  context.lineWidth = outlined ? shape.size : ERASER_RIM;
  context.beginPath();
  for (const [x, y] of shape.points) context.lineTo(x, y);
  context.closePath();
  if (!outlined) context.fill();
  if (outlined || shape.erase) context.stroke();
  context.globalCompositeOperation = "source-over";
}

function replay(layer) {
  for (const canvas of layer === "mask" ? [layers.mask] : [layers.sketch, coloursCanvas])
    canvas.getContext("2d").clearRect(0, 0, state.width, state.height);
  const records = state.painted[layer].done;
  records.slice(Math.max(0, records.findLastIndex(replaces))).forEach(play);
}

function commit(record, played = false) {
  const history = state.painted[record.layer], last = history.done.at(-1);
  const first = !history.done.length;
  if (record.found && last?.found) { history.done.pop(); replay(record.layer); } // another threshold, not more edges
  history.done.push(record);
  history.undone = [];
  leaveUndoneFills();
  if (played) replay(record.layer); // drawn piece by piece its rim is another one than drawn at once
  else play(record);
  changed();
  if (first && record.layer === "sketch" && ["stroke", "shape"].includes(record.kind)) press("sketch-started");
}

const isPainted = (layer) => {
  const records = state.painted[layer].done;
  const start = Math.max(0, records.findLastIndex((record) => record.kind === "clear"));
  return records.slice(start).some((record) => record.kind !== "clear" && !record.erase);
};
const hasColours = () => state.painted.sketch.done.some((record) => record.colour);
const masked = () => state.invert || isPainted("mask");

// Strokes of the layer that is chosen come first, then the fill: a stroke of the other layer is never taken back.
function undo() {
  const history = state.painted[state.layer];
  if (history.done.length) { history.undone.push(history.done.pop()); replay(state.layer); changed(); }
  else undoFill();
}
function redo() {
  const history = state.painted[state.layer], record = history.undone.pop();
  if (record) { history.done.push(record); play(record); changed(); } else redoFill();
}

function changed() {
  const history = state.painted[state.layer];
  find("[data-tool=undo]").disabled = !history.done.length && !canUndoFill();
  find("[data-tool=redo]").disabled = !history.undone.length && !canRedoFill();
  find("[data-tool=viewer]").disabled = steps.size < 2;
  document.documentElement.classList.toggle("sketch-drawn", isPainted("sketch"));
  showGrown();
}
const press = (id) => document.querySelector(`button#${id}, #${id} button`)?.click();
