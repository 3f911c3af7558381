// The results of a comparison: the hole's close-up of each method, opened in the viewer, taken over as a step.
// Runs once, as `js_on_load` of the tab's gr.HTML.

const tiles = document.createElement("div");
tiles.className = "tiles";
element.replaceChildren(tiles);
const known = new Map(); // step id -> { step with its image, figure }

async function show(value) {
  if (!tiles.isConnected) element.replaceChildren(tiles);
  const sent = value?.tiles || [];
  for (const { step, caption } of sent) {
    if (!known.has(step.id)) {
      const image = new Image();
      image.src = step.patch;
      known.set(step.id, { step: { ...step, image }, figure: null });
      await image.decode();
    }
    const tile = known.get(step.id);
    tile.figure ??= figureOf(tile.step);
    tile.figure.querySelector("figcaption span").textContent = caption;
  }
  tiles.replaceChildren(...sent.map(({ step }) => known.get(step.id).figure));
}

function figureOf(step) {
  const figure = document.createElement("figure");
  figure.className = "tile";
  figure.innerHTML = `<button type="button" class="tile-picture"></button><figcaption><b></b><span></span></figcaption>
    <button type="button" class="tile-use">Use this</button>`;
  const picture = figure.querySelector(".tile-picture");
  picture.setAttribute("aria-label", `${step.title}: compare up close`);
  picture.append(window.studio.closeUp(step));
  picture.addEventListener("click", () => {
    const all = [...tiles.children].map((each) => [...known.values()].find((tile) => tile.figure === each).step);
    window.studio.viewTiles(all, step);
  });
  figure.querySelector("b").textContent = step.title;
  const use = figure.querySelector(".tile-use");
  use.setAttribute("aria-label", `Use this: ${step.title}`);
  use.addEventListener("click", () => window.studio.useStep(step));
  return figure;
}

let queue = Promise.resolve();
const enqueue = () => { const value = props.value; queue = queue.then(() => show(value)); };
watch("value", enqueue);
enqueue();
