// Steps: the photo as opened and every fill of it. A step is the one it was made of with a patch drawn over it, so any
// of them can be shown again without asking the server, to which each event says which one is shown.

const OPENED = ""; // the id of the photo as opened
const THUMBNAIL = 112; // pixels, the longer side
const steps = new Map(); // id -> { id, parent, title, seconds, image, box, painted }
const strip = find(".easel-steps"), flag = find(".easel-flag");
let shown = OPENED, undoneFills = [], original = false;

function openPhoto(image) {
  steps.clear();
  steps.set(OPENED, { id: OPENED, parent: null, title: "Photo", image, box: [0, 0, state.width, state.height] });
  Object.assign(state, { painted: unpainted(), zoom: 1, x: 0, y: 0 });
  shown = OPENED; undoneFills = []; original = false;
}

// the picture of a step, drawn to a canvas of the photo's size
function drawStep(canvas, id) {
  const line = [];
  for (let step = steps.get(id); step; step = steps.get(step.parent)) line.unshift(step);
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height); // a photo may be transparent
  for (const step of line) context.drawImage(step.image, ...step.box);
  return canvas;
}

// Shows a step. What was painted stays, unless `painted` puts something else in its place.
function showStep(id, painted = null) {
  shown = id;
  if (painted) {
    state.painted = painted;
    for (const layer of ["mask", "sketch"]) replay(layer);
    if (stroke?.direct) drawSoFar(stroke, 0); // that is being painted right now
  }
  drawPhoto();
  showStrip();
  changed();
}

const drawPhoto = () => drawStep(photoCanvas, original ? OPENED : shown);

// What a fill was made of is its own; what was painted since it was asked for is for the next one.
function addStep(step, sent) {
  const before = step.parent === shown && sent ? sent : [...steps.values()].find((each) => each.parent === step.parent && each.painted)?.painted;
  steps.set(step.id, { ...step, painted: before || unpainted() });
}

const copyOf = (painted) => ({
  mask: { done: [...painted.mask.done], undone: [] }, sketch: { done: [...painted.sketch.done], undone: [] },
});
const without = (painted, sent) => {
  const left = unpainted();
  for (const layer of ["mask", "sketch"])
    left[layer].done = painted[layer].done.filter((record) => !sent || !sent[layer].done.includes(record));
  return left;
};

const canUndoFill = () => steps.get(shown)?.parent != null;
const canRedoFill = () => undoneFills.length > 0;
const leaveUndoneFills = () => { undoneFills = []; };
function undoFill() {
  if (!canUndoFill()) return;
  const step = steps.get(shown);
  undoneFills.push({ id: shown, painted: state.painted });
  showStep(step.parent, copyOf(step.painted));
}
function redoFill() {
  const undone = undoneFills.pop();
  if (undone) showStep(undone.id, undone.painted);
}

function showOriginal(on) {
  if (original === on || !state.scene) return;
  original = on;
  stage.classList.toggle("original", on);
  flag.hidden = !on;
  find("[data-tool=original]").setAttribute("aria-pressed", on);
  drawPhoto();
}

function showStrip() {
  const buttons = [...steps.values()].map((step, index) => {
    if (!step.button) {
      step.button = document.createElement("button");
      step.button.type = "button";
      step.button.dataset.step = step.id;
      const picture = thumbnail(step), name = document.createElement("span");
      name.textContent = index ? `${index} ${step.title}` : step.title;
      step.button.append(picture, name);
      step.button.title = index ? `${step.title}, ${step.seconds} s: go back to it` : "The photo as you opened it";
      step.button.addEventListener("click", () => { leaveUndoneFills(); showStep(step.id); });
    }
    step.button.setAttribute("aria-pressed", step.id === shown);
    return step.button;
  });
  if (strip.children.length !== buttons.length || strip.firstChild !== buttons[0]) strip.replaceChildren(...buttons);
  const now = steps.get(shown).button;
  strip.scrollTo({ left: now.offsetLeft - strip.clientWidth / 2 + now.offsetWidth / 2 });
}

// the part of the photo that the fill changed, with as much around it; of the photo itself the whole
function thumbnail(step) {
  const whole = drawStep(newCanvas(state.width, state.height), step.id);
  let [x, y, width, height] = step.box;
  if (step.parent !== null) {
    const side = Math.min(state.width, state.height, 2 * Math.max(width, height));
    x = Math.max(0, Math.min(state.width - side, x + width / 2 - side / 2));
    y = Math.max(0, Math.min(state.height - side, y + height / 2 - side / 2));
    width = height = side;
  }
  const scale = THUMBNAIL / Math.max(width, height);
  const small = newCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  small.getContext("2d").imageSmoothingQuality = "high";
  small.getContext("2d").drawImage(whole, x, y, width, height, 0, 0, small.width, small.height);
  small.setAttribute("aria-hidden", "true");
  return small;
}

function newCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width; canvas.height = height;
  return canvas;
}
