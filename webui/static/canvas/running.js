// A fill that runs: how far it is, for how long, and the way to end it.

const STOP_AFTER = 1500; // milliseconds until a fill says how far it is and can be stopped; quick ones never do
const runningBar = find(".easel-running"), progressBar = find("progress"), fillButton = find("#fill");
let running = null; // { since, share, text, timer }
let asked = { run: "", sent: null }; // the last fill asked for, and what was painted then

function startRun(inputs) {
  endRun();
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
for (const name of ["pointerdown", "pointerup"]) runningBar.addEventListener(name, (event) => event.stopPropagation());
stopButton.addEventListener("click", () => press("do-stop"));
