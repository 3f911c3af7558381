// The drawing canvas: a photo under a Mask and a Sketch layer. The files of this folder run once, one after the other
// in one scope, as `js_on_load` of the page's gr.HTML, which passes `element`, `props` and `watch`.
//
// Why not gr.ImageEditor: layers that Python puts on it are drawn at the wrong place and lose their names (6.31), it
// uploads photo and layers at every event, and it has no shortcuts.
//
// This one: the toolbar and the stack of layers, as HTML.

const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
const tool = (name, label, title, path) =>
  `<button type="button" data-tool="${name}" aria-label="${label}" title="${title}">${icon(path)}</button>`;

const root = document.createElement("div");
root.className = "easel";
root.innerHTML = `
  <div class="easel-bar" role="toolbar" aria-label="Drawing tools">
    <span class="easel-layers" role="group" aria-label="Layer">
      <button type="button" data-layer="mask" aria-label="Mask layer" title="What is to be filled">Mask</button>
      <button type="button" data-layer="sketch" aria-label="Sketch layer" title="Edges and colours you want in the fill">Sketch</button>
    </span>
    <span class="easel-group" role="group" aria-label="Tool">
      ${tool("brush", "Brush", "Brush (B); Shift: straight lines", "M15 4l5 5-9.5 9.5-5-5L15 4zM4.5 15l4.5 4.5L3 21l1.5-6z")}
      ${tool("erase", "Erase", "Eraser (E); or hold Alt with any tool", "M14 4l6 6-9 9H7l-4-4L14 4zM9 9l6 6M12 20h9")}
      ${tool("rectangle", "Rectangle", "Rectangle (R)", "M4 6h16v12H4z")}
      ${tool("lasso", "Lasso", "Lasso (L): draw around what should go", "M8 15.5C5 14.7 3 12.8 3 10.5 3 7 7 4.5 12 4.5s9 2.5 9 6-4 6-9 6c-.8 0-1.5-.1-2.2-.2M8 15.5a2 2 0 1 0 .1 0M8 17.5c0 2-1 3-3 3.5")}
      ${tool("select", "Select object", "Select object (O): scribble on it or draw around it; Shift: a box", "M4 20L14 10M12.5 8.5l3 3M17 3v4M15 5h4M20 10v3M18.5 11.5h3M9 4v2M8 5h2")}
      ${tool("pan", "Pan", "Move (hold Space)", "M12 3v18M3 12h18M12 3l-2.5 2.5M12 3l2.5 2.5M12 21l-2.5-2.5M12 21l2.5-2.5M3 12l2.5-2.5M3 12l2.5 2.5M21 12l-2.5-2.5M21 12l-2.5 2.5")}
    </span>
    <label class="easel-size"><span class="dot"></span>
      <input type="range" min="1" max="100" value="24" aria-label="Brush Size"></label>
    <span class="easel-group easel-pen" role="group" aria-label="Pen">
      <button type="button" data-pen="edge" title="Draw edges: where lines of the fill run">Edge</button>
      <button type="button" data-pen="colour" title="Draw colours: what the fill looks like there (C)">Colour</button>
      <input type="color" value="#c0392b" aria-label="Colour of the pen">
      ${tool("pick", "Pick a colour from the photo", "Pick a colour from the photo (I)", "M13 6l5 5M11 8l5 5-8 8H3v-5zM15 4l1.5-1.5a2.1 2.1 0 0 1 3 0l2 2a2.1 2.1 0 0 1 0 3L20 9z")}
    </span>
    <button type="button" data-tool="edges" class="easel-edges" aria-label="Draw the photo's edges" title="Auto edges: puts the photo's edges in and around the mask on this layer; erase and redraw them">${icon("M3 17c3 0 3-10 6-10s3 10 6 10 3-10 6-10")}<span>Auto edges</span></button>
    ${tool("clear", "Clear canvas", "Clear this layer", "M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6")}
    <button type="button" data-tool="help" class="easel-help-button" aria-label="Help" aria-expanded="false" title="Help (H)">?</button>
  </div>
  <div class="easel-stage" tabindex="0" role="application" aria-label="Canvas: paint over what is to be filled">
    <div class="easel-sheet">${["photo", "live", "grown", "mask", "colours", "sketch", "lit", "draft"].map((name) => `<canvas data-layer="${name}"></canvas>`).join("")}</div>
    <div class="easel-ring"></div>
    <div class="easel-flag" hidden>Original</div>
    <div class="easel-group easel-zoom" role="group" aria-label="Zoom">
      ${tool("out", "Zoom out", "Zoom out", "M5 12h14")}
      ${tool("fit", "Reset zoom", "Whole photo (Esc)", "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5")}
      ${tool("in", "Zoom in", "Zoom in (Ctrl+wheel)", "M5 12h14M12 5v14")}
    </div>
    <div class="easel-message" role="status" hidden></div>
    <div class="easel-running" role="status" hidden>
      <progress aria-label="Share of the fill that is done"></progress><span class="easel-running-text"></span>
      <button type="button" id="stop">Stop</button>
    </div>
    <div class="easel-help" hidden><div class="for-keys"><b>Keys</b><dl>
      <dt>[ &nbsp; ]</dt><dd>brush size</dd><dt>Shift + drag</dt><dd>a straight line</dd><dt>Alt + drag</dt><dd>erase</dd>
      <dt>B E R L O</dt><dd>brush, eraser, rectangle, lasso, object</dd>
      <dt>Ctrl+Z</dt><dd>undo a stroke of this layer, then the fill</dd><dt>Ctrl+Shift+Z</dt><dd>redo</dd>
      <dt>Space + drag</dt><dd>move the photo</dd><dt>Ctrl + wheel</dt><dd>zoom</dd><dt>Esc</dt><dd>whole photo</dd>
      <dt>hold Tab</dt><dd>see the original</dd><dt>Shift+R</dt><dd>fill, or compare on that tab</dd>
      <dt>Ctrl+S, Ctrl+C</dt><dd>save, copy the result</dd><dt>H</dt><dd>this help</dd></dl>
      Drop or paste a photo anywhere on the page.</div>
      <div class="for-fingers"><b>Fingers</b><dl><dt>one</dt><dd>paints</dd><dt>two</dt><dd>zoom and move the photo</dd>
      <dt>hold still</dt><dd>shows the original</dd></dl>Mask: what should go. Sketch: edges and colours you want instead.</div></div>
  </div>
  <div class="easel-actions" role="toolbar" aria-label="Actions">
    ${tool("undo", "Undo", "Undo (Ctrl+Z)", "M8 5L3 10l5 5M3 10h11a6 6 0 0 1 0 12h-3")}
    ${tool("redo", "Redo", "Redo (Ctrl+Shift+Z)", "M16 5l5 5-5 5M21 10H10a6 6 0 0 0 0 12h3")}
    <button type="button" data-tool="original" aria-label="Show the original" aria-pressed="false" title="Hold to see the original (Tab)">${icon("M2 12s4-7 10-7 10 7 10 7-4 7-10 7-10-7-10-7zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z")}<span>Original</span></button>
    <button type="button" data-tool="viewer" aria-label="Compare steps up close" title="Compare steps up close">${icon("M4 5h7v14H4zM13 5h7v14h-7z")}<span>Compare</span></button>
    <span class="easel-space"></span>
    <span class="easel-save">
      <button type="button" id="save-original" title="Save the result (Ctrl+S)">Save</button>
      <button type="button" id="save-more" aria-label="More ways to save" aria-expanded="false" aria-controls="save-ways" title="PNG, clipboard">${icon("M6 15l6-6 6 6")}</button>
      <span id="save-ways" role="group" aria-label="More ways to save" hidden>
        <button type="button" id="save-png" title="Every known pixel bit for bit">Save as PNG</button>
        <button type="button" id="copy" title="Copy the result (Ctrl+C)">Copy the picture</button></span>
    </span>
    <button type="button" id="fill" title="Fill what is painted (Shift+R)">Fill</button>
  </div>
  <div class="easel-steps" role="group" aria-label="Steps: the photo and its fills"></div>`;
element.replaceChildren(root);
