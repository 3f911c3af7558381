// Keys that people know from other tools, and photos dropped or pasted anywhere. Runs once, as the page's `js`.
() => {
  const typing = (target) => target instanceof HTMLElement &&
    (target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName) ||
      (target.tagName === "INPUT" && !["range", "checkbox", "radio", "button", "file"].includes(target.type)));
  const press = (id) => document.querySelector(`button#${id}, #${id} button`)?.click();

  // A key that a focused button or slider needs is the control's own; Tab and Space are the canvas' only while the
  // pointer works on it, so that nobody is kept there.
  let pointed = -Infinity, byPointer = false; // when the pointer last moved there; whether it gave the stage its focus
  document.addEventListener("pointerdown", (event) => { byPointer = Boolean(event.target.closest?.(".easel-stage")); }, true);
  document.addEventListener("pointermove", (event) => { if (event.target.closest?.(".easel-stage")) pointed = performance.now(); });
  const working = (event) => {
    const free = event.target === document.body || (event.target.matches?.(".easel-stage") && byPointer);
    return free && window.studio.hovered() && performance.now() - pointed < 10000;
  };
  const isOpen = (selector) => { const found = document.querySelector(selector); return Boolean(found && found.offsetParent); };

  const TOOLS = { b: "brush", e: "erase", r: "rectangle", l: "lasso", o: "select", i: "pick" };
  document.addEventListener("keydown", (event) => {
    const studio = window.studio, control = event.ctrlKey || event.metaKey, key = event.key.toLowerCase();
    if (!studio || event.altKey || (typing(event.target) && !(control && key === "s"))) return;
    let act = null;
    if (control && key === "z") act = event.shiftKey ? studio.redo : studio.undo;
    else if (control && key === "y") act = studio.redo;
    else if (control && key === "s") act = () => press("do-save-original");
    else if (control && key === "c" && !event.shiftKey && getSelection().isCollapsed) act = studio.copyResult;
    else if (control) return;
    else if (event.key === "[") act = () => studio.stepBrush(-1);
    else if (event.key === "]") act = () => studio.stepBrush(1);
    else if (key === "escape") act = studio.resetZoom;
    else if (key === "r" && event.shiftKey) act = () => !event.repeat && press(isOpen("#compare") ? "compare" : "fill");
    else if (key === "h") act = studio.toggleHelp;
    else if (key === "c" && !event.repeat) act = studio.changePen;
    else if (TOOLS[key] && !event.shiftKey) act = () => studio.setTool(TOOLS[key]);
    else if (key === " " && working(event)) act = () => studio.holdSpace(true);
    else if (key === "tab" && working(event)) act = () => studio.showOriginal(true);
    if (act) { event.preventDefault(); act(); }
    else if (key === "tab") byPointer = false;
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") window.studio?.holdSpace(false);
    if (event.key === "Tab") window.studio?.showOriginal(false);
  });
  window.addEventListener("blur", () => { window.studio?.holdSpace(false); window.studio?.showOriginal(false); });

  // gradio's picture is a button without a name, and its thumbnails are numbered only.
  const nameButtons = () => {
    for (const button of document.querySelectorAll(".strip button[aria-label^=Thumbnail]")) {
      const caption = button.querySelector("img")?.alt;
      if (caption) button.setAttribute("aria-label", caption);
    }
    document.querySelectorAll("#preview button:not([aria-label])").forEach((button) =>
      button.setAttribute("aria-label", "What will be filled"));
    document.querySelectorAll("button[aria-label='common.upload']").forEach((button) => { // a text it has no words for
      button.setAttribute("aria-label", "Add files");
      button.title = "Add files";
    });
    document.querySelectorAll("div[aria-label='Empty value']:not([role])").forEach((each) => each.setAttribute("role", "img"));
  };
  new MutationObserver(nameButtons).observe(document.body, { childList: true, subtree: true });

  // The photo goes through the page's own upload button, so that the server gets the file as it is.
  const accepts = (input, file) => input.accept.split(",").map((rule) => rule.trim().toLowerCase()).some((rule) =>
    rule.startsWith(".") ? file.name.toLowerCase().endsWith(rule) : rule.endsWith("/*") ? file.type.startsWith(rule.slice(0, -1)) : file.type === rule);
  const open = (files) => {
    const input = document.querySelector("#open-photo")?.parentElement?.querySelector("input[type=file]");
    const all = [...(files || [])];
    if (!input || !all.length) return;
    const image = all.find((file) => accepts(input, file));
    if (!image) return window.studio.say(`${all[0].name} is not a photo; choose a JPEG, PNG, WebP, TIFF, HEIC or another picture.`);
    const carrier = new DataTransfer();
    carrier.items.add(image);
    input.files = carrier.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  // A browser says nothing when the file that an input already holds is chosen again.
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("input[type=file]")) setTimeout(() => { event.target.value = ""; });
  });
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  let held = 0; // dragover comes several times a second as long as something is held over the page
  const highlight = (on) => {
    clearTimeout(held);
    document.documentElement.classList.toggle("dropping", on);
    if (on) held = setTimeout(() => highlight(false), 400);
  };
  document.addEventListener("dragover", (event) => { if (holdsFiles(event)) { event.preventDefault(); highlight(true); } });
  document.addEventListener("drop", (event) => {
    highlight(false);
    if (!holdsFiles(event)) return;
    event.preventDefault();
    event.stopPropagation(); // wherever it falls, it is the photo to work on
    open(event.dataTransfer.files);
  }, true);
  document.addEventListener("paste", (event) => { if (!typing(event.target)) open(event.clipboardData?.files); });
}
