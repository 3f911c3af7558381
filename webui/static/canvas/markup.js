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
      <button type="button" data-layer="sketch" aria-label="Sketch layer" title="Edges you want in the fill">Sketch</button>
    </span>
    <span class="easel-group" role="group" aria-label="Tool">
      ${tool("brush", "Brush", "Brush (B)", "M15 4l5 5-9.5 9.5-5-5L15 4zM4.5 15l4.5 4.5L3 21l1.5-6z")}
      ${tool("erase", "Erase", "Eraser (E)", "M14 4l6 6-9 9H7l-4-4L14 4zM9 9l6 6M12 20h9")}
      ${tool("pan", "Pan", "Move (hold Space)", "M12 3v18M3 12h18M12 3l-2.5 2.5M12 3l2.5 2.5M12 21l-2.5-2.5M12 21l2.5-2.5M3 12l2.5-2.5M3 12l2.5 2.5M21 12l-2.5-2.5M21 12l-2.5 2.5")}
    </span>
    <label class="easel-size"><span class="dot"></span>
      <input type="range" min="1" max="100" value="24" aria-label="Brush Size"></label>
    <button type="button" data-tool="edges" class="easel-edges" aria-label="Draw the photo's edges" title="Puts the photo's edges in and around the mask on this layer; erase and redraw them">Auto edges</button>
    ${tool("clear", "Clear canvas", "Clear this layer", "M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6")}
    <span class="easel-group easel-zoom" role="group" aria-label="Zoom">
      ${tool("out", "Zoom out", "Zoom out", "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM20 20l-4.7-4.7M7.5 10.5h6")}
      ${tool("fit", "Reset zoom", "Whole photo (Esc)", "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5")}
      ${tool("in", "Zoom in", "Zoom in (Ctrl+wheel)", "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM20 20l-4.7-4.7M7.5 10.5h6M10.5 7.5v6")}
    </span>
    <button type="button" data-tool="help" class="easel-help-button" aria-label="Help" aria-expanded="false" title="Help (H)">?</button>
  </div>
  <div class="easel-stage" tabindex="0" role="application" aria-label="Canvas: paint over what is to be filled">
    <div class="easel-sheet"><canvas data-layer="photo"></canvas><canvas data-layer="live"></canvas><canvas data-layer="grown"></canvas><canvas data-layer="mask"></canvas><canvas data-layer="sketch"></canvas><canvas data-layer="lit"></canvas></div>
    <div class="easel-ring"></div>
    <div class="easel-flag" hidden>Original</div>
    <div class="easel-running" role="status" hidden>
      <progress aria-label="Share of the fill that is done"></progress><span class="easel-running-text"></span>
      <button type="button" id="stop">Stop</button>
    </div>
    <div class="easel-help" hidden><div class="for-keys"><b>Keys</b><dl>
      <dt>[ &nbsp; ]</dt><dd>brush size</dd><dt>Ctrl+Z</dt><dd>undo a stroke of this layer, then the fill</dd>
      <dt>Ctrl+Shift+Z</dt><dd>redo</dd>
      <dt>Space + drag</dt><dd>move the photo</dd><dt>Ctrl + wheel</dt><dd>zoom</dd><dt>Esc</dt><dd>whole photo</dd>
      <dt>hold Tab</dt><dd>see the original</dd><dt>Shift+R</dt><dd>fill, or compare on that tab</dd>
      <dt>Ctrl+S</dt><dd>save the result</dd><dt>H</dt><dd>this help</dd></dl>
      Drop or paste a photo anywhere on the page.</div>
      <div class="for-fingers"><b>Fingers</b><dl><dt>one</dt><dd>paints</dd><dt>two</dt><dd>zoom and move the photo</dd>
      <dt>hold still</dt><dd>shows the original</dd></dl>Mask: what should go. Sketch: edges you want instead.</div></div>
  </div>
  <div class="easel-actions" role="toolbar" aria-label="Actions">
    ${tool("undo", "Undo", "Undo (Ctrl+Z)", "M8 5L3 10l5 5M3 10h11a6 6 0 0 1 0 12h-3")}
    ${tool("redo", "Redo", "Redo (Ctrl+Shift+Z)", "M16 5l5 5-5 5M21 10H10a6 6 0 0 0 0 12h3")}
    <button type="button" data-tool="original" aria-label="Show the original" aria-pressed="false" title="Hold to see the original (Tab)">${icon("M2 12s4-7 10-7 10 7 10 7-4 7-10 7-10-7-10-7zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z")}<span>Original</span></button>
    <button type="button" data-tool="viewer" aria-label="Compare steps up close" title="Compare steps up close">${icon("M4 5h7v14H4zM13 5h7v14h-7z")}<span>Compare</span></button>
    <span class="easel-space"></span>
    <button type="button" id="save-png" title="Save as PNG: every known pixel bit for bit" hidden>PNG</button>
    <button type="button" id="save-original" title="Save the result (Ctrl+S)">Save</button>
    <button type="button" id="fill" title="Fill what is painted (Shift+R)">Fill</button>
  </div>
  <div class="easel-steps" role="group" aria-label="Steps: the photo and its fills"></div>`;
element.replaceChildren(root);
