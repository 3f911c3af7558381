// The list of public weights: its rows come from the server as HTML, with the progress of the one that is fetched.
// Runs once, as `js_on_load` of the tab's gr.HTML.

const list = document.createElement("ul");
list.className = "public";
element.replaceChildren(list);
let rows = null, fetching = null; // what is drawn; the name of the set that this page fetches

function show() {
  const value = props.value;
  if (!value) return;
  if (!list.isConnected) element.replaceChildren(list);
  if (value.rows !== rows) {
    rows = value.rows;
    list.innerHTML = rows;
  }
  run(value.running);
  if (!value.running && fetching) { // over: the button that was pressed is gone
    [...list.children].find((row) => row.dataset.weights === fetching)?.focus();
    fetching = null;
  }
}

function run(running) {
  for (const row of list.children) {
    const mine = running?.name === row.dataset.weights;
    const details = row.querySelector("details");
    if (details) {
      details.inert = Boolean(running);
      details.hidden = mine;
    }
    const status = row.querySelector(".public-running");
    if (!mine) status.replaceChildren();
    else {
      if (!status.firstChild) status.innerHTML = `<progress aria-label="Fetched"></progress><span></span>`;
      const [bar, text] = status.children;
      if (running.share === null) bar.removeAttribute("value");
      else bar.value = running.share;
      text.textContent = running.text;
      row.querySelector(".public-failed")?.remove();
    }
  }
}

list.addEventListener("click", (event) => {
  const row = event.target.closest("button")?.closest("[data-weights]");
  if (!row || fetching) return;
  fetching = row.dataset.weights;
  run({ name: fetching, share: null, text: "Asking for it" });
  trigger("submit", { weights: fetching });
});

watch("value", show);
show();
