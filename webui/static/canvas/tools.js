// The toolbar: layer, tool, size of the brush.

const WIDEST = { mask: 100, sketch: 24 }; // of the brush, in the slider's units
const SIZE_TITLE = { mask: "Brush size: [ and ]", sketch: "Thickness of lines: [ and ]" };

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
  const actions = {
    undo, redo, clear: () => commit({ kind: "clear", layer: state.layer }), in: () => { zoomBy(1.5); refresh(); },
    out: () => { zoomBy(1 / 1.5); refresh(); }, fit: () => { resetZoom(); refresh(); }, help: toggleHelp,
    edges: () => document.querySelector("button#canvas-auto-edges, #canvas-auto-edges button").click(),
  };
  const name = button.dataset.tool;
  actions[name] ? actions[name]() : setTool(name);
});
size.addEventListener("input", () => setBrush(size.value));
function toggleHelp() { help.hidden = !help.hidden; }
