// A fill that runs: how far it is, for how long, and the way to end it.

const STOP_AFTER = 1500; // milliseconds until a fill says how far it is and can be stopped; quick ones never do
const runningBar = find(".easel-running"), progressBar = find("progress"), fillButton = find("#fill");
let running = null; // { since, share, text, timer }
let asked = { run: "", sent: null }; // the last fill asked for, and what was painted then
let busy = false; // from the start of a run until the page is done with it: until then no other can start
let wanted = false; // a fill was asked for meanwhile
let onRelease = false; // fill as soon as a stroke of the mask ends

function requestFill() {
  if (busy) wanted = true; else press("do-fill");
}
function fillOnRelease() { if (onRelease) requestFill(); }

function startRun(inputs) {
  endRun();
  busy = true;
  wanted = false;
  asked = { run: Math.random().toString(36).slice(2), sent: copyOf(state.painted) };
  running = { since: performance.now(), share: null, text: "" };
  running.timer = setInterval(showRunning, 250);
  fillButton.disabled = true;
  fillButton.textContent = "Filling";
  return withStrokes(inputs);
}

function endRun() {
  if (!running) return;
  clearInterval(running.timer);
  running = null;
  runningBar.hidden = true;
  fillButton.disabled = false;
  fillButton.textContent = "Fill";
  liveCanvas.getContext("2d").clearRect(0, 0, state.width, state.height);
}

// The page is done with a run, however it ended. What was painted while it ran is filled next, if that was asked for.
function finishRun() {
  endRun();
  busy = false;
  if (wanted && masked()) setTimeout(requestFill);
  wanted = false;
}

function showRunning() {
  const seconds = (performance.now() - running.since) / 1000;
  if (seconds * 1000 < STOP_AFTER) return;
  runningBar.hidden = false;
  if (running.share === null) progressBar.removeAttribute("value"); else progressBar.value = running.share;
  const text = running.text || "Waiting for a free place";
  find(".easel-running-text").textContent = `${text} ${Math.floor(seconds)} s`;
}

function noteProgress({ share, text }) {
  if (!running) return;
  running.share = share;
  running.text = text;
  showRunning();
}

const stopButton = find("#stop");
stopButton.addEventListener("click", () => { wanted = false; press("do-stop"); });
