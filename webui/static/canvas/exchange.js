// Scenes from the server, strokes to the server, and what the rest of the page calls.

function load(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = url;
  });
}

let newest = 0;
async function show(scene) {
  if (!scene || scene.scene === state.scene?.scene) return;
  if (!root.isConnected) element.replaceChildren(root);
  const number = ++newest;
  const [background, mask, sketch] = await Promise.all(["photo", "mask", "sketch"].map((key) => scene[key] && load(scene[key])));
  if (number !== newest) return; // a newer scene came while this one was loading
  if (background) {
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
  return {
    mask: layers.mask.toDataURL("image/png"), sketch: layers.sketch.toDataURL("image/png"),
    line_width: brushPixels("sketch"),
  };
}

// Inputs of an event as the server shall get them: in place of the scene it once sent, the strokes of now. The scene is
// known by its field `scene`, so the order of the inputs does not matter.
const withStrokes = (inputs) => inputs.map((input) => (input?.scene ? strokes() : input));

function showOriginal(on) {
  stage.classList.toggle("original", on);
  if (state.original) photo.src = on ? state.original : state.scene.photo || photo.src;
}

window.studio = {
  undo, redo, stepBrush, resetZoom, toggleHelp, strokes, withStrokes, showOriginal, setLayer,
  hovered: () => stage.matches(":hover"),
  holdSpace(on) { if (state.space !== on) { state.space = on; refresh(); } },
  setGrow(value) { state.grow = Number(value); showGrown(); },
  setInvert(value) { state.invert = Boolean(value); showGrown(); },
  download() { setTimeout(() => document.querySelector("#download-file").click(), 200); },
};

new ResizeObserver(() => { layOut(); refresh(); }).observe(stage);
window.addEventListener("resize", layOut);
watch("value", () => show(props.value));
changed();
refresh();
show(props.value);
