// What is being drawn: a stroke goes to its layer at once; a line, a rectangle, a lasso or the scribble on an object is a
// draft until the pointer is lifted.

const SMALL = 3; // pixels of the photo: less is a click, and no shape
const SELECT_LINE = 5; // pixels of the screen
const DRAFT = { select: "#2563eb", erase: "#f8fafc" };
let lastEnd = null; // { layer, point } of the last stroke: Shift and a click draw a line from there

function beginStroke(event) {
  const tool = state.tool, point = toSheet(event), erase = tool === "erase" || event.altKey;
  const common = { layer: state.layer, points: [point], size: brushPixels(), erase, colour: erase ? null : penColour() };
  if (tool === "select") return { ...common, kind: "select", layer: "mask", corners: event.shiftKey };
  if (tool === "rectangle") return { ...common, kind: "shape", corners: true };
  if (tool === "lasso") return { ...common, kind: "shape" };
  return { ...common, kind: "stroke", corners: event.shiftKey, direct: !event.shiftKey };
}

// Of what has two ends only the last place of the pointer counts.
function extendStroke(stroke, points) {
  if (stroke.corners) stroke.points = [stroke.points[0], points.at(-1)];
  else stroke.points.push(...points);
}

function drawSoFar(stroke, from) {
  for (const canvas of canvasesOf(stroke)) drawSegment(canvas.getContext("2d"), stroke, from);
  if (stroke.layer === "sketch" && !stroke.colour) lightSegment(stroke, from);
}

const rectangle = ([[x, y], [right, bottom]]) => [[x, y], [right, y], [right, bottom], [x, bottom]].map((point) => point.map(Math.round));

function drawDraft(stroke) {
  clearDraft();
  const context = draftCanvas.getContext("2d"), boxed = stroke.corners && stroke.kind !== "stroke" && stroke.points.length > 1;
  const drawn = { ...stroke, points: boxed ? rectangle(stroke.points) : stroke.points, erase: false };
  if (stroke.kind === "select") Object.assign(drawn, { colour: DRAFT.select, size: SELECT_LINE / (state.fit * state.zoom) });
  else if (stroke.erase) drawn.colour = DRAFT.erase;
  if (stroke.kind === "select" && boxed) drawn.points = [...drawn.points, drawn.points[0]];
  if (stroke.kind === "shape") drawShape(context, drawn); else drawSegment(context, drawn, 0);
  stage.classList.add("drafting");
}

function clearDraft() {
  if (!stage.classList.contains("drafting")) return;
  draftCanvas.getContext("2d").clearRect(0, 0, state.width, state.height);
  stage.classList.remove("drafting");
}

const extent = (points) => Math.max(...[0, 1].map((axis) => {
  const along = points.map((point) => point[axis]);
  return Math.max(...along) - Math.min(...along);
}));

function endStroke(finished) {
  const { direct, corners, ...record } = finished;
  if (record.kind === "select") return selectObject(record.points, corners);
  if (record.kind === "shape") {
    if (extent(record.points) < SMALL) return;
    if (corners) record.points = rectangle(record.points);
  } else if (corners && extent(record.points) < SMALL && lastEnd?.layer === record.layer) {
    record.points = [lastEnd.point, record.points[0]];
  }
  if (record.kind === "stroke") lastEnd = { layer: record.layer, point: record.points.at(-1) };
  commit(record, direct);
  if (record.layer === "mask" && !record.erase) fillOnRelease();
}

// ---- Select object: the server finds what was scribbled on

let selection = null; // { points, box }, sent with the strokes of the event that asks for the object
function selectObject(points, box) {
  if (selection) return;
  selection = { points: points.map((point) => point.map((number) => Math.round(number * 10) / 10)), box };
  drawDraft({ kind: "select", layer: "mask", points, corners: box });
  stage.classList.add("searching");
  press("do-select");
}
function endSelect() {
  if (!selection) return;
  selection = null;
  stage.classList.remove("searching");
  clearDraft();
}

// ---- the pen of the Sketch layer: without a colour it draws edges

const penColour = () => (state.layer === "sketch" && state.pen === "colour" ? state.colour : null);
const colourInput = find("input[type=color]");
function setPen(pen) {
  state.pen = pen;
  if (state.tool === "pick" || state.tool === "erase") state.tool = "brush";
  setLayer("sketch");
}
function setColour(colour) { state.colour = colourInput.value = colour; setPen("colour"); }
colourInput.addEventListener("input", () => setColour(colourInput.value));
function pickColour([x, y]) {
  const [red, green, blue] = photoCanvas.getContext("2d").getImageData(Math.floor(x), Math.floor(y), 1, 1).data;
  setColour(`#${[red, green, blue].map((level) => level.toString(16).padStart(2, "0")).join("")}`);
}
