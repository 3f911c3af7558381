// The toolbar: layer, tool, size of the brush.

const WIDEST = { mask: 100, sketch: 24, colour: 100 }; // of the brush, in the slider's units
const SIZE_TITLE = { mask: "Brush size: [ and ]", sketch: "Thickness of lines: [ and ]", colour: "Brush size: [ and ]" };
const ONLY_ON = { select: "mask", pick: "sketch" };
const brushOf = () => (penColour() ? "colour" : state.layer);

function setLayer(layer) {
  state.layer = layer;
  if ((ONLY_ON[state.tool] || layer) !== layer) state.tool = "brush";
  size.max = WIDEST[brushOf()]; // before the value, which it would cut
  size.value = state.brush[brushOf()];
  refresh();
  changed(); // each layer has its own undo
}
function setTool(name) {
  state.tool = name;
  const layer = ONLY_ON[name];
  if (layer && layer !== state.layer) setLayer(layer); else refresh();
}
function setBrush(value) { size.value = value; state.brush[brushOf()] = Number(size.value); refresh(); }
function stepBrush(sign) {
  const now = state.brush[brushOf()];
  setBrush(Math.min(WIDEST[brushOf()], Math.max(1, now + sign * Math.max(1, Math.round(now * 0.15)))));
}

// the slider's units follow the photo: 100 is a sixth of its longer side
const brushPixels = (layer = brushOf()) => Math.max(1, state.brush[layer] / 600 * Math.max(state.width, state.height));

function refresh() {
  root.querySelectorAll("button[data-layer]").forEach((b) => b.setAttribute("aria-pressed", b.dataset.layer === state.layer));
  root.querySelectorAll("[aria-label=Tool] button, [data-tool=pick]").forEach((b) =>
    b.setAttribute("aria-pressed", b.dataset.tool === (state.space ? "pan" : state.tool)));
  root.querySelectorAll("[data-pen]").forEach((b) => b.setAttribute("aria-pressed", b.dataset.pen === state.pen));
  root.dataset.layer = state.layer;
  find(".easel-size").title = SIZE_TITLE[brushOf()];
  stage.dataset.tool = state.space ? "pan" : state.tool;
  stage.classList.toggle("zoomed", state.zoom > 1);
  const side = Math.max(2, brushPixels() * state.fit * state.zoom);
  ring.style.width = ring.style.height = `${side}px`;
  ring.style.borderColor = state.tool === "erase" ? "#fff" : penColour() || `rgb(${PAINT[state.layer]})`;
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
  if (button.dataset.pen) return setPen(button.dataset.pen);
  const name = button.dataset.tool;
  if (name) actions[name] ? actions[name]() : setTool(name);
});
for (const id of ["save-original", "save-png"]) find(`#${id}`).addEventListener("click", () => press(`do-${id}`));
find("#fill").addEventListener("click", requestFill);
find("#copy").addEventListener("click", copyResult);
// What lies over the stage is no place to paint on.
for (const each of root.querySelectorAll(".easel-zoom, .easel-running, .easel-message"))
  for (const name of ["pointerdown", "pointerup"]) each.addEventListener(name, (event) => event.stopPropagation());

// More ways to save open above their button, and close when anything else is used.
const saveWays = find("#save-ways"), saveMore = find("#save-more");
function openSaveWays(on) { saveWays.hidden = !on; saveMore.setAttribute("aria-expanded", on); }
saveMore.addEventListener("click", () => openSaveWays(saveWays.hidden));
saveWays.addEventListener("click", () => openSaveWays(false));
document.addEventListener("pointerdown", (event) => { if (!event.target.closest?.(".easel-save")) openSaveWays(false); });
saveWays.parentElement.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || saveWays.hidden) return;
  event.stopPropagation();
  openSaveWays(false);
  saveMore.focus();
});

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
