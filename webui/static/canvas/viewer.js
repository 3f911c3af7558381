// The viewer: pictures of the photo over the whole page, two or four side by side or one wiped over another, zoomed
// and moved in step. It opens on the hole.

const MARGIN = 0.6; // around the hole when it opens, as a share of its longer side
const viewer = document.createElement("dialog");
viewer.className = "viewer";
viewer.setAttribute("aria-label", "Pictures up close");
viewer.innerHTML = `
  <div class="viewer-bar" role="toolbar" aria-label="Viewer">
    <span class="viewer-modes" role="group" aria-label="Layout">
      <button type="button" data-mode="2">Two</button><button type="button" data-mode="4">Four</button>
      <button type="button" data-mode="wipe">Wipe</button></span>
    <label class="viewer-wipe">Wipe <input type="range" min="0" max="100" value="50" aria-label="Position of the wipe"></label>
    <span class="viewer-space"></span>
    <button type="button" data-act="out" aria-label="Zoom out">&minus;</button>
    <button type="button" data-act="hole">Hole</button>
    <button type="button" data-act="whole">Whole photo</button>
    <button type="button" data-act="in" aria-label="Zoom in">+</button>
    <button type="button" data-act="close">Close</button>
  </div>
  <div class="viewer-panes"></div>
  <div class="viewer-hint">Drag to move, wheel or two fingers to zoom, left and right arrow for the next picture.</div>`;
document.querySelector("dialog.viewer")?.remove();
(document.querySelector(".gradio-container") || document.body).append(viewer);
const panesBox = viewer.querySelector(".viewer-panes"), wipeInput = viewer.querySelector(".viewer-wipe input");
let look = null; // { pictures, box, mode, chosen, view: { scale, x, y }, last }: x, y of the photo are in a pane's middle

/** Opens it on pictures [{ title, draw(canvas), use? }]; `chosen` are the ones that are shown first, `box` the hole. */
function openViewer({ pictures, chosen, box, mode }) {
  look = { pictures: pictures.map((each) => ({ ...each })), chosen, box, mode, view: null, last: 1 };
  if (!viewer.open) viewer.showModal();
  buildPanes();
  toHole();
}

// what the canvas knows: the photo, the photo with its mask, every step
function picturesOfSteps() {
  const all = [...steps.values()].map((step, index) => ({
    id: step.id, title: index ? `${index} ${step.title}` : "Original", draw: (canvas) => drawStep(canvas, step.id),
    use: step.id === OPENED ? null : () => { leaveUndoneFills(); showStep(step.id); },
  }));
  return all;
}
const pictureOfMask = (step) => ({
  id: "mask", title: "Mask", draw(canvas) {
    drawStep(canvas, step.parent ?? OPENED);
    const hole = newCanvas(canvas.width, canvas.height), context = hole.getContext("2d");
    context.drawImage(step.image, ...step.box);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = `rgb(${PAINT.mask})`;
    context.fillRect(0, 0, hole.width, hole.height);
    canvas.getContext("2d").globalAlpha = 0.7;
    canvas.getContext("2d").drawImage(hole, 0, 0);
    canvas.getContext("2d").globalAlpha = 1;
    return canvas;
  },
});

function viewSteps(ids = []) {
  const now = steps.get(ids[0] ?? shown), fills = [...steps.values()].filter((step) => step.parent !== null);
  if (!fills.length) return;
  const fill = now.parent === null ? fills.at(-1) : now;
  const pictures = [...picturesOfSteps(), pictureOfMask(fill)], at = (id) => pictures.findIndex((each) => each.id === id);
  const chosen = ids.length > 1 ? ids.map(at) : [at(fill.parent), at(fill.id)];
  openViewer({ pictures, chosen, box: fill.box, mode: chosen.length > 2 ? "4" : "2" });
}

function buildPanes() {
  const count = look.mode === "4" ? 4 : 2;
  while (look.chosen.length < count) look.chosen.push((look.chosen.at(-1) + 1) % look.pictures.length);
  viewer.querySelectorAll("button[data-mode]").forEach((button) => button.setAttribute("aria-pressed", button.dataset.mode === look.mode));
  panesBox.dataset.mode = look.mode;
  viewer.querySelector(".viewer-wipe").hidden = look.mode !== "wipe";
  panesBox.replaceChildren(...Array.from({ length: count }, (_, index) => {
    const pane = document.createElement("div"), head = document.createElement("div"), choice = document.createElement("select");
    pane.className = "viewer-pane"; head.className = "viewer-head";
    choice.setAttribute("aria-label", `Picture ${index + 1}`);
    look.pictures.forEach((picture, number) => choice.add(new Option(picture.title, number)));
    choice.addEventListener("change", () => { look.last = index; look.chosen[index] = Number(choice.value); drawPanes(); });
    const use = document.createElement("button");
    use.type = "button"; use.className = "viewer-use"; use.textContent = "Use this";
    use.addEventListener("click", () => { look.pictures[look.chosen[index]].use(); viewer.close(); });
    head.append(choice, use);
    const canvas = document.createElement("canvas");
    canvas.tabIndex = -1;
    pane.append(head, canvas);
    return pane;
  }));
  drawPanes();
}

const pictureCanvas = (picture) => (picture.canvas ??= onChecks(picture.draw(newCanvas(state.width, state.height))));

function drawPanes() {
  if (!look?.view) return;
  const panes = [...panesBox.children];
  panes.forEach((pane, index) => {
    const picture = look.pictures[look.chosen[index]];
    pane.querySelector("select").value = look.chosen[index];
    pane.querySelector(".viewer-use").hidden = !picture.use;
    const canvas = pane.querySelector("canvas"), ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return; // of the second picture of a wipe only its choice is shown
    canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d"), scale = look.view.scale * ratio;
    context.imageSmoothingEnabled = scale < 3;
    context.imageSmoothingQuality = "high";
    const paint = (source) => {
      context.setTransform(scale, 0, 0, scale, canvas.width / 2 - look.view.x * scale, canvas.height / 2 - look.view.y * scale);
      context.drawImage(pictureCanvas(source), 0, 0);
      context.setTransform(1, 0, 0, 1, 0, 0);
    };
    paint(picture);
    if (look.mode !== "wipe") return;
    const at = canvas.width * wipeInput.value / 100;
    context.save();
    context.beginPath(); context.rect(at, 0, canvas.width - at, canvas.height); context.clip();
    paint(look.pictures[look.chosen[1]]);
    context.restore();
    context.fillStyle = "#fff"; context.fillRect(at - ratio, 0, 2 * ratio, canvas.height);
  });
}

function frame([x, y, width, height], margin) {
  const canvas = panesBox.querySelector("canvas"), more = margin * Math.max(width, height);
  const scale = Math.min(canvas.clientWidth / (width + 2 * more), canvas.clientHeight / (height + 2 * more));
  look.view = { scale: Math.min(16, scale), x: x + width / 2, y: y + height / 2 };
  drawPanes();
}
const toHole = () => frame(look.box, MARGIN);
const toWhole = () => frame([0, 0, state.width, state.height], 0);

function zoomLook(factor, canvas = null, clientX = 0, clientY = 0) {
  const { view } = look, scale = Math.min(32, Math.max(0.05, view.scale * factor));
  if (canvas) { // what is under the pointer stays there
    const box = canvas.getBoundingClientRect(), dx = clientX - box.left - box.width / 2, dy = clientY - box.top - box.height / 2;
    view.x += dx / view.scale - dx / scale; view.y += dy / view.scale - dy / scale;
  }
  view.scale = scale;
  drawPanes();
}
function nextPicture(step) {
  const count = look.pictures.length;
  look.chosen[look.last] = (look.chosen[look.last] + step + count) % count;
  drawPanes();
}

viewer.addEventListener("click", (event) => {
  const { mode, act } = event.target.dataset;
  if (mode) { look.mode = mode; buildPanes(); toHole(); }
  const acts = { in: () => zoomLook(1.5), out: () => zoomLook(1 / 1.5), hole: toHole, whole: toWhole, close: () => viewer.close() };
  acts[act]?.();
});
wipeInput.addEventListener("input", drawPanes);
viewer.addEventListener("keydown", (event) => {
  event.stopPropagation(); // the page's own keys rest meanwhile
  if (event.target.matches("input, select")) return;
  const keys = { ArrowRight: () => nextPicture(1), ArrowLeft: () => nextPicture(-1), "+": () => zoomLook(1.5), "-": () => zoomLook(1 / 1.5) };
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});
panesBox.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoomLook(Math.exp(-event.deltaY / 300), event.target.closest("canvas"), event.clientX, event.clientY);
}, { passive: false });
const touches = new Map();
panesBox.addEventListener("pointerdown", (event) => {
  if (!event.target.matches("canvas")) return;
  touches.set(event.pointerId, event);
  event.target.setPointerCapture(event.pointerId);
});
panesBox.addEventListener("pointermove", (event) => {
  const before = touches.get(event.pointerId);
  if (!before) return;
  const other = [...touches.values()].find((each) => each.pointerId !== event.pointerId);
  const far = (one) => Math.max(1, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY));
  const share = other ? 0.5 : 1; // of two fingers each moves the photo by half
  look.view.x -= share * (event.clientX - before.clientX) / look.view.scale;
  look.view.y -= share * (event.clientY - before.clientY) / look.view.scale;
  touches.set(event.pointerId, event);
  if (other) zoomLook(far(event) / far(before)); else drawPanes();
});
for (const name of ["pointerup", "pointercancel"]) panesBox.addEventListener(name, (event) => touches.delete(event.pointerId));
let drawnAt = null; // width and height of all panes together; null while the viewer is closed
new ResizeObserver(([{ contentRect: { width, height } }]) => {
  const isOpen = width > 0 && height > 0;
  if (isOpen && drawnAt && look?.view) look.view.scale *= Math.min(width / drawnAt[0], height / drawnAt[1]); // as much is seen
  drawnAt = isOpen ? [width, height] : null;
  drawPanes();
}).observe(panesBox);
