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

  document.addEventListener("keydown", (event) => {
    const studio = window.studio, control = event.ctrlKey || event.metaKey, key = event.key.toLowerCase();
    if (!studio || event.altKey || (typing(event.target) && !(control && key === "s"))) return;
    let act = null;
    if (control && key === "z") act = event.shiftKey ? studio.redo : studio.undo;
    else if (control && key === "y") act = studio.redo;
    else if (control && key === "s") act = () => press("do-save-original");
    else if (control) return;
    else if (event.key === "[") act = () => studio.stepBrush(-1);
    else if (event.key === "]") act = () => studio.stepBrush(1);
    else if (key === "escape") act = studio.resetZoom;
    else if (key === "r" && event.shiftKey) act = () => !event.repeat && press(isOpen("#compare") ? "compare" : "fill");
    else if (key === "h") act = studio.toggleHelp;
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

  // The photo goes through the page's own upload button, so that the server gets the file as it is.
  const open = (files) => {
    const image = [...(files || [])].find((file) => file.type.startsWith("image/"));
    const input = document.querySelector("#open-photo input[type=file], input#open-photo, #open-photo-input input");
    const target = input || document.querySelector("#open-photo")?.parentElement?.querySelector("input[type=file]");
    if (!image || !target) return false;
    const carrier = new DataTransfer();
    carrier.items.add(image);
    target.files = carrier.files;
    target.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  };
  const ours = (event) => event.target instanceof Element && event.target.closest("[data-own-drop]");
  document.addEventListener("dragover", (event) => { if (!ours(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    if (ours(event) || !event.dataTransfer?.files.length) return;
    event.preventDefault();
    open(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => { if (!typing(event.target)) open(event.clipboardData?.files); });
}
