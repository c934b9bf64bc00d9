"use strict";
// Sorting and filtering for the table of hand-ins; without this the page holds the same facts.
(() => {
  const table = document.getElementById("hand-ins-table");
  const rows = [...table.tBodies[0].rows].filter((row) => row.dataset.groups !== undefined);
  if (rows.length < 2) return;

  const make = (tag, text, into) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (into) into.append(element);
    return element;
  };

  // Filtering: by words anywhere in a row, and by group.
  const tools = make("form");
  tools.className = "tools";
  tools.setAttribute("role", "search");
  const wordLabel = make("label", "Find ", tools);
  const word = make("input", "", wordLabel);
  word.type = "search";
  const groupLabel = make("label", "Show ", tools);
  const group = make("select", "", groupLabel);
  for (const [value, text] of [
    ["", "all"], ["open", "something open"], ["settled", "settled"], ["flags", "with flags"],
    ["trouble", "run with trouble"],
  ]) make("option", text, group).value = value;
  const told = make("output", "", tools);
  tools.addEventListener("submit", (event) => event.preventDefault());
  table.closest(".scroll").before(tools);

  const texts = rows.map((row) => row.textContent.toLowerCase());
  const filter = () => {
    const wanted = word.value.trim().toLowerCase();
    let count = 0;
    rows.forEach((row, place) => {
      const isIn = !group.value || row.dataset.groups.split(" ").includes(group.value);
      row.hidden = !(isIn && texts[place].includes(wanted));
      count += row.hidden ? 0 : 1;
    });
    told.textContent = count === rows.length ? `${count} hand-ins` : `${count} of ${rows.length} hand-ins`;
  };
  word.addEventListener("input", filter);
  group.addEventListener("change", filter);
  filter();

  // Sorting: every column's head becomes a button.
  const order = new Intl.Collator("en", { numeric: true });
  const compare = (column) => (one, other) => {
    const [a, b] = [one, other].map((row) => row.cells[column]);
    if (a.dataset.value !== undefined) return Number(a.dataset.value) - Number(b.dataset.value);
    return order.compare(a.textContent.trim(), b.textContent.trim());
  };
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = make("button", head.textContent);
    button.type = "button";
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const falls = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falls ? "descending" : "ascending");
      const sorted = [...rows].sort(compare(column));
      table.tBodies[0].append(...(falls ? sorted.reverse() : sorted));
    });
  });
})();
