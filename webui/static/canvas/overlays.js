// What is drawn over the photo but never sent: the ring that growing adds, and the lines that count.

const GROWN = "rgb(255, 180, 40)";
const RIM = 1.3; // pixels of the screen around lines
const PREVIEW_SIDE = 700; // the ring that growing adds is worked out on a copy of this size

// ---- what growing or inverting the mask will add, in amber

let growing = 0;
function showGrown() {
  cancelAnimationFrame(growing);
  growing = requestAnimationFrame(() => {
    const scale = Math.min(1, PREVIEW_SIDE / Math.max(state.width, state.height));
    const width = grownCanvas.width = Math.max(1, Math.round(state.width * scale));
    const height = grownCanvas.height = Math.max(1, Math.round(state.height * scale));
    const context = grownCanvas.getContext("2d");
    context.drawImage(layers.mask, 0, 0, width, height);
    let left = state.grow * scale, step = 1;
    const copy = document.createElement("canvas");
    copy.width = width; copy.height = height;
    const spare = copy.getContext("2d");
    while (left > 0.2) { // steps that double leave no gaps, and sixteen directions are nearly a disc
      const reach = Math.min(step, left);
      spare.globalCompositeOperation = "copy";
      spare.drawImage(grownCanvas, 0, 0);
      for (let i = 0; i < 16; i++)
        context.drawImage(copy, reach * Math.cos(i * Math.PI / 8), reach * Math.sin(i * Math.PI / 8));
      left -= reach; step *= 2;
    }
    context.fillStyle = GROWN;
    if (state.invert) { // everything but the strokes
      context.globalCompositeOperation = "copy";
      context.fillRect(0, 0, width, height);
    } else {
      context.globalCompositeOperation = "source-in";
      context.fillRect(0, 0, width, height);
    }
    context.globalCompositeOperation = "destination-out";
    context.drawImage(layers.mask, 0, 0, width, height);
    context.globalCompositeOperation = "source-over";
    showLit();
  });
}

// ---- lines inside of the hole are shown in full; those outside, which no method uses, stay dimmed

// While a line is drawn only its newest part is: the whole layer, with its rims, would take longer than a frame.
function lightSegment(stroke, from) {
  const context = litCanvas.getContext("2d"), rim = RIM / Math.min(1, state.fit || 1);
  drawSegment(context, stroke, from);
  if (stroke.erase) return;
  const points = stroke.points;
  context.globalCompositeOperation = "destination-over";
  context.strokeStyle = "#fff";
  context.lineWidth = stroke.size + 2 * rim;
  context.beginPath();
  for (const [x, y] of points.slice(from)) context.lineTo(x, y);
  context.stroke();
  context.globalCompositeOperation = "source-over";
}

let lighting = 0;
const insideCanvas = document.createElement("canvas"), rimCanvas = document.createElement("canvas");
function showLit() {
  cancelAnimationFrame(lighting);
  lighting = requestAnimationFrame(() => {
    const { width, height } = state;
    const [lit, inside, rim] = [litCanvas, insideCanvas, rimCanvas].map((canvas) => {
      canvas.width = width; canvas.height = height;
      return canvas.getContext("2d");
    });
    if (masked()) { // the hole, and of the lines what falls into it
      inside.drawImage(layers.mask, 0, 0);
      inside.drawImage(grownCanvas, 0, 0, width, height);
      inside.globalCompositeOperation = "source-in";
    }
    inside.drawImage(layers.sketch, 0, 0);
    const reach = RIM / Math.min(1, state.fit || 1); // dark lines with a light rim are seen on any photo
    for (let i = 0; i < 8; i++)
      rim.drawImage(insideCanvas, reach * Math.cos(i * Math.PI / 4), reach * Math.sin(i * Math.PI / 4));
    rim.globalCompositeOperation = "source-in";
    rim.fillStyle = "#fff";
    rim.fillRect(0, 0, width, height);
    lit.drawImage(rimCanvas, 0, 0);
    lit.drawImage(insideCanvas, 0, 0);
  });
}
