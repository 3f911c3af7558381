// Scenes from the server, strokes to the server, and what the rest of the page calls.

function load(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = url;
  });
}

// One after the other: pictures take time to load, and no fill may be lost because another scene came meanwhile.
let last = null, waiting = Promise.resolve();
function show(scene) {
  if (!scene || scene.scene === last) return;
  last = scene.scene;
  waiting = waiting.then(() => apply(scene)).catch((error) => setTimeout(() => { throw error; }));
}

async function apply(scene) {
  if (!root.isConnected) element.replaceChildren(root);
  if (!scene.photo && scene.session && scene.session !== state.session) return; // of a photo that was closed
  if (scene.running) noteProgress(scene.running);
  if (scene.preview) await drawPreview(scene.preview);
  if (scene.running) return;
  const [photo, mask, sketch] = await Promise.all(["photo", "mask", "sketch"].map((key) => scene[key] && load(scene[key])));
  if (photo) {
    Object.assign(state, { width: scene.width, height: scene.height, session: scene.session });
    for (const each of [photoCanvas, liveCanvas, draftCanvas, coloursCanvas, layers.mask, layers.sketch]) { each.width = scene.width; each.height = scene.height; }
    finishRun();
    endSelect();
    openPhoto(photo);
    stage.classList.toggle("transparent", scene.transparent);
    find("#save-png").hidden = scene.save_as === "PNG";
    find("#save-original").title = `Save the result as ${scene.save_as} (Ctrl+S)`;
    sheet.style.width = `${scene.width}px`;
    sheet.style.height = `${scene.height}px`;
    stage.classList.add("ready");
    state.scene = scene;
    showStep(OPENED);
    layOut();
  }
  if (mask) commit({ kind: "image", layer: "mask", image: mask, add: scene.add });
  if (sketch) commit({ kind: "image", layer: "sketch", image: sketch, found: scene.found });
  if (scene.steps) await takeSteps(scene);
  state.scene = scene;
  changed();
  refresh();
  if (scene.add) { endSelect(); fillOnRelease(); } // an object that was selected is painted as a stroke is
}

async function takeSteps(scene) {
  const images = await Promise.all(scene.steps.map((step) => load(step.patch)));
  const sent = asked.run === scene.run ? asked.sent : null;
  scene.steps.forEach((step, index) => addStep({ ...step, image: images[index] }, sent));
  leaveUndoneFills();
  endRun();
  showStep(scene.steps.at(-1).id, without(state.painted, sent));
  layOut();
  if (scene.side_by_side) viewSteps(scene.steps.map((step) => step.id));
}

// ---- results of a comparison: steps that are not on the strip until they are used

function drawOver(canvas, step) {
  drawStep(canvas, step.parent).getContext("2d").drawImage(step.image, ...step.box);
  return canvas;
}

function closeUp(step) {
  const whole = drawOver(newCanvas(state.width, state.height), step);
  const [x, y, width, height] = step.box, more = 0.3 * Math.max(width, height);
  const left = Math.max(0, x - more), top = Math.max(0, y - more);
  const part = [left, top, Math.min(state.width, x + width + more) - left, Math.min(state.height, y + height + more) - top];
  const scale = Math.min(1.5, 480 / Math.max(part[2], part[3]));
  const small = newCanvas(Math.round(part[2] * scale), Math.round(part[3] * scale));
  small.getContext("2d").imageSmoothingQuality = "high";
  small.getContext("2d").drawImage(whole, ...part, 0, 0, small.width, small.height);
  return small;
}

function useStep(step) {
  if (!steps.has(step.parent)) return;
  if (!steps.has(step.id)) addStep(step, copyOf(state.painted));
  leaveUndoneFills();
  showStep(step.id, unpainted());
  document.querySelector("#edit-button, button[role=tab]")?.click();
  stage.scrollIntoView({ block: "nearest" });
}

function viewTiles(all, first) {
  const pictures = [
    { id: OPENED, title: "Original", draw: (canvas) => drawStep(canvas, first.parent) },
    ...all.map((step) => ({ id: step.id, title: step.title, draw: (canvas) => drawOver(canvas, step), use: () => useStep(step) })),
    pictureOfMask(first),
  ];
  openViewer({ pictures, chosen: [0, pictures.findIndex((each) => each.id === first.id)], box: first.box, mode: "2" });
}

async function drawPreview({ picture, box }) {
  const image = await load(picture);
  if (running) liveCanvas.getContext("2d").drawImage(image, ...box);
}

function strokes() {
  if (!state.scene) return null;
  return {
    mask: layers.mask.toDataURL("image/png"), sketch: layers.sketch.toDataURL("image/png"),
    colours: hasColours() ? coloursCanvas.toDataURL("image/png") : null,
    line_width: brushPixels("sketch"), selection, ...placeOf(),
  };
}
const placeOf = () => ({ step: shown, run: asked.run });

// Inputs of an event as the server shall get them: in place of the scene it once sent, the strokes of now. The scene is
// known by its field `scene`, so the order of the inputs does not matter.
const inPlaceOfScene = (inputs, value) => inputs.map((input) => (input?.scene ? value() : input));
const withStrokes = (inputs) => inPlaceOfScene(inputs, strokes);
const withPlace = (inputs) => inPlaceOfScene(inputs, placeOf);

window.studio = {
  undo, redo, stepBrush, resetZoom, toggleHelp, strokes, withStrokes, withPlace, startRun, finishRun, showOriginal, setLayer, setTool,
  changePen: () => setPen(state.pen === "edge" ? "colour" : "edge"), endSelect, say, copyResult, copied, notCopied,
  photo: () => state.session,
  hovered: () => stage.matches(":hover"),
  holdSpace(on) { if (state.space !== on) { state.space = on; refresh(); } },
  setGrow(value) { state.grow = Number(value); showGrown(); },
  setOnRelease(value) { onRelease = Boolean(value); },
  setInvert(value) { state.invert = Boolean(value); showGrown(); },
  closeUp, useStep, viewTiles, viewSteps,
  download() { setTimeout(() => press("download-file"), 200); },
};

new ResizeObserver(() => { layOut(); refresh(); }).observe(element);
window.addEventListener("resize", layOut);
watch("value", () => show(props.value));
changed();
refresh();
show(props.value);
