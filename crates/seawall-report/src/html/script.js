
"use strict";
for (const table of document.querySelectorAll("table.findings")) {
  const tools = table.previousElementSibling;
  const filter = tools.querySelector("input[type=search]");
  const suppressed = tools.querySelector("input[type=checkbox]");
  const shown = tools.querySelector(".shown");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  tools.hidden = false;

  // Every word of the filter must be in the row.
  const update = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let number = 0;
    for (const row of rows) {
      const held = row.className === "held" && !suppressed.checked;
      row.hidden = held || !words.every((word) => texts.get(row).includes(word));
      if (!row.hidden) number += 1;
    }
    shown.textContent = `${number} of ${rows.length}`;
  };
  filter.addEventListener("input", update);
  suppressed.addEventListener("change", update);

  const heads = [...table.tHead.rows[0].cells];
  const order = new Intl.Collator(undefined, { numeric: true });
  const value = (row, column) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
  const sort = (column) => {
    const head = heads[column];
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    rows.sort((a, b) => (down ? -1 : 1) * order.compare(value(a, column), value(b, column)));
    body.append(...rows);
  };
  heads.forEach((head, column) => {
    head.tabIndex = 0;
    head.addEventListener("click", () => sort(column));
    head.addEventListener("keydown", (event) => {
      if (event.key === "Enter") sort(column);
    });
  });
  update();
}
