// Sorts a table by the column whose heading is pressed; pressed again, the other way round.
// Runs once, as `js_on_load` of the gr.HTML that holds the table.

element.addEventListener("click", (event) => {
  const heading = event.target.closest("thead button")?.closest("th");
  if (!heading) return;
  const column = [...heading.parentNode.children].indexOf(heading), body = heading.closest("table").tBodies[0];
  const upwards = heading.getAttribute("aria-sort") !== "ascending";
  heading.parentNode.querySelectorAll("th").forEach((each) => each.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", upwards ? "ascending" : "descending");
  const rows = [...body.rows], key = (row) => {
    const value = row.cells[column]?.dataset.value;
    return value === undefined ? null : Number(value === "inf" ? Infinity : value);
  };
  rows.sort((one, other) => {
    if (!column) return (upwards ? 1 : -1) * one.cells[0].textContent.localeCompare(other.cells[0].textContent);
    const [first, second] = [key(one), key(other)];
    if (first === null || second === null) return (first === null) - (second === null); // without a number: at the end
    return (upwards ? 1 : -1) * (first - second);
  });
  body.append(...rows);
});
