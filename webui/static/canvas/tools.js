// The toolbar: layer, tool, size of the brush.

const WIDEST = { mask: 100, sketch: 24 }; // of the brush, in the slider's units
const SIZE_TITLE = { mask: "Brush size: [ and ]", sketch: "Thickness of lines: [ and ]" };

function setLayer(layer) {
  state.layer = layer;
  size.max = WIDEST[layer]; // before the value, which it would cut
  size.value = state.brush[layer];
  refresh();
  changed(); // each layer has its own undo
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

const actions = {
  undo, redo, clear: () => commit({ kind: "clear", layer: state.layer }), in: () => { zoomBy(1.5); refresh(); },
  out: () => { zoomBy(1 / 1.5); refresh(); }, fit: () => { resetZoom(); refresh(); }, help: toggleHelp,
  edges: () => press("canvas-auto-edges"), original: () => {}, viewer: () => viewSteps(),
};
root.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.layer) return setLayer(button.dataset.layer);
  const name = button.dataset.tool;
  if (name) actions[name] ? actions[name]() : setTool(name);
});
for (const id of ["fill", "save-original", "save-png"]) find(`#${id}`).addEventListener("click", () => press(`do-${id}`));

// The original is shown as long as its button is held, by pointer or key.
const originalButton = find("[data-tool=original]");
originalButton.addEventListener("pointerdown", (event) => { originalButton.setPointerCapture(event.pointerId); showOriginal(true); });
for (const name of ["pointerup", "pointercancel", "lostpointercapture", "blur", "keyup"])
  originalButton.addEventListener(name, () => showOriginal(false));
originalButton.addEventListener("keydown", (event) => { if ([" ", "Enter"].includes(event.key)) showOriginal(true); });
originalButton.addEventListener("contextmenu", (event) => event.preventDefault());

size.addEventListener("input", () => setBrush(size.value));
function toggleHelp() {
  help.hidden = !help.hidden;
  find("[data-tool=help]").setAttribute("aria-expanded", !help.hidden);
}
