// Pointers: one uses the tool or moves the photo, two fingers zoom.

const pointers = new Map();
const HOLD = 500; // milliseconds that a finger rests until the original is shown
const STILL = 8; // pixels of the screen that it may move meanwhile
let stroke = null, pinch = null, holding = null;

function discardStroke() {
  if (!stroke) return;
  const { layer } = stroke;
  stroke = null;
  clearDraft();
  replay(layer);
  showLit();
}
function hold(event) {
  const { clientX, clientY } = event;
  holding = { clientX, clientY, timer: setTimeout(() => { discardStroke(); holding.shown = true; showOriginal(true); }, HOLD) };
}
function endHold() {
  if (!holding) return;
  clearTimeout(holding.timer);
  if (holding.shown) showOriginal(false);
  holding = null;
}

stage.addEventListener("pointerdown", (event) => {
  if (!state.scene || event.button > 1) return;
  event.preventDefault();
  stage.focus({ preventScroll: true });
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event);
  if (pointers.size === 2) {
    endHold();
    discardStroke(); // the first finger was the start of a pinch
    pinch = spread();
  } else if (!state.space && state.tool !== "pan" && event.button === 0) {
    if (state.tool === "pick") return pickColour(toSheet(event));
    stroke = beginStroke(event);
    if (stroke.direct) drawSoFar(stroke, 0); else drawDraft(stroke);
    if (event.pointerType === "touch") hold(event);
  }
});

stage.addEventListener("pointermove", (event) => {
  const box = stage.getBoundingClientRect();
  ring.style.left = `${event.clientX - box.left}px`;
  ring.style.top = `${event.clientY - box.top}px`;
  const before = pointers.get(event.pointerId);
  if (!before) return;
  pointers.set(event.pointerId, event);
  if (holding && !holding.shown && Math.hypot(event.clientX - holding.clientX, event.clientY - holding.clientY) > STILL) endHold();
  if (pinch) {
    const now = spread();
    state.x += now.x - pinch.x; state.y += now.y - pinch.y;
    zoomBy(now.distance / pinch.distance, now.x, now.y);
    pinch = now;
  } else if (stroke) {
    const from = stroke.points.length - 1;
    const moves = (event.getCoalescedEvents?.() || []).map(toSheet);
    extendStroke(stroke, moves.length ? moves : [toSheet(event)]);
    if (stroke.direct) drawSoFar(stroke, from); else drawDraft(stroke);
  } else if (pointers.size === 1 && !holding) {
    state.x += event.clientX - before.clientX; state.y += event.clientY - before.clientY;
    place();
  }
});

function lift(event) {
  pointers.delete(event.pointerId);
  endHold();
  if (pointers.size < 2) pinch = null;
  if (stroke) { const finished = stroke; stroke = null; clearDraft(); endStroke(finished); }
  refresh();
}
stage.addEventListener("pointerup", lift);
stage.addEventListener("pointercancel", lift);

function spread() {
  const box = stage.getBoundingClientRect(), [a, b] = [...pointers.values()];
  return {
    x: (a.clientX + b.clientX) / 2 - box.left, y: (a.clientY + b.clientY) / 2 - box.top,
    distance: Math.max(1, Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)),
  };
}

stage.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return; // the plain wheel scrolls the page
  event.preventDefault();
  const box = stage.getBoundingClientRect();
  zoomBy(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
  refresh();
}, { passive: false });
