// The view: from pixels of the photo to pixels of the screen; behind what is transparent a checkerboard.

const CHECK = 8, CHECKS = ["#ffffff", "#c9cfd8"]; // pixels of the screen, and the colours

function onChecks(canvas) {
  const tile = newCanvas(2 * CHECK, 2 * CHECK), brush = tile.getContext("2d"), context = canvas.getContext("2d");
  for (const [index, x, y] of [[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]]) {
    brush.fillStyle = CHECKS[index];
    brush.fillRect(x * CHECK, y * CHECK, CHECK, CHECK);
  }
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = context.createPattern(tile, "repeat");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "source-over";
  return canvas;
}

// As high as the window leaves it with the buttons and the steps below; on a phone the buttons stick to its edge.
const LOWEST = 180, PHONE = 640, NARROW = 620; // pixels
const BELOW = 22; // the gaps between the stage, the buttons, the steps and the end of the window

function layOut() {
  root.classList.toggle("narrow", root.clientWidth < NARROW);
  const width = stage.clientWidth;
  if (!width || !state.scene) return;
  const above = stage.getBoundingClientRect().top + window.scrollY;
  const below = find(".easel-actions").offsetHeight + strip.offsetHeight + BELOW;
  const free = window.innerWidth <= PHONE ? window.innerHeight * 0.56 : window.innerHeight - above - below;
  const height = Math.max(LOWEST, Math.min(width * state.height / state.width, free));
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

function resetZoom() { state.zoom = 1; state.x = state.y = 0; place(); if (!help.hidden) toggleHelp(); }

function toSheet(event) {
  const box = stage.getBoundingClientRect(), scale = state.fit * state.zoom;
  return [(event.clientX - box.left - state.x) / scale, (event.clientY - box.top - state.y) / scale];
}
