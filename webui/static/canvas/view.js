// The view: from pixels of the photo to pixels of the screen.

function layOut() {
  const width = stage.clientWidth;
  if (!width || !state.scene) return;
  const height = Math.max(180, Math.min(width * state.height / state.width, window.innerHeight * 0.66));
  stage.style.height = `${Math.round(height)}px`;
  state.fit = Math.min(width / state.width, height / state.height);
  place();
}

function place() {
  const scale = state.fit * state.zoom;
  const free = [stage.clientWidth - state.width * scale, stage.clientHeight - state.height * scale];
  const inside = (at, space) => (space >= 0 ? space / 2 : Math.min(0, Math.max(space, at)));
  state.x = inside(state.x, free[0]);
  state.y = inside(state.y, free[1]);
  sheet.style.transform = `translate(${state.x}px, ${state.y}px) scale(${scale})`;
  sheet.style.setProperty("image-rendering", scale > 3 ? "pixelated" : "auto");
}

function zoomBy(factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const zoom = Math.min(16, Math.max(1, state.zoom * factor)), ratio = zoom / state.zoom;
  state.x = x - (x - state.x) * ratio;
  state.y = y - (y - state.y) * ratio;
  state.zoom = zoom;
  place();
}

function resetZoom() { state.zoom = 1; state.x = state.y = 0; place(); help.hidden = true; }

function toSheet(event) {
  const box = stage.getBoundingClientRect(), scale = state.fit * state.zoom;
  return [(event.clientX - box.left - state.x) / scale, (event.clientY - box.top - state.y) / scale];
}
