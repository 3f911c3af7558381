// Sentences over the canvas, and the result that is shown as a picture in the clipboard.

const MESSAGE_TIME = 7000; // milliseconds
const message = find(".easel-message");
let silence = 0;
function say(sentence) {
  clearTimeout(silence);
  message.textContent = sentence;
  message.hidden = false;
  silence = setTimeout(() => { message.hidden = true; }, MESSAGE_TIME);
}

// The browser lets a page write only while a click is fresh, so the picture is promised and the server makes it then.
let copying = null;
function copyResult() {
  if (!navigator.clipboard?.write || !window.ClipboardItem)
    return say("This browser copies pictures only over https or from localhost; save the picture instead.");
  const address = new Promise((resolve, reject) => { copying = { resolve, reject }; });
  const picture = address.then((url) => fetch(url)).then((answer) => answer.blob());
  navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]).then(
    () => say("The picture is in the clipboard, at its full size."),
    (error) => { if (error !== NO_RESULT) say("The browser did not let the page copy the picture; save it instead."); },
  );
  press("do-copy");
}
const NO_RESULT = "no result"; // the page shows why
const copied = (file) => copying?.resolve(file.url);
const notCopied = () => copying?.reject(NO_RESULT);
