// Sorts the list by a column and hides what the filter does not ask for.
(() => {
  const body = document.querySelector("#runs tbody"), rows = [...body.rows];
  const filter = document.getElementById("filter"), state = document.getElementById("state");

  function choose() {
    const words = filter.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = Boolean(state.value && row.dataset.state !== state.value) || !words.every((word) => text.includes(word));
    }
    document.getElementById("shown").textContent = rows.filter((row) => !row.hidden).length + " runs";
  }

  function sort(head) {
    const column = head.cellIndex;
    const rising = head.getAttribute("aria-sort") !== "ascending";
    document.querySelectorAll("#runs thead th[aria-sort]").forEach((each) => each.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const compare = (a, b) => (isNaN(value(a)) || isNaN(value(b)) ? value(a).localeCompare(value(b)) : value(a) - value(b));
    rows.sort((a, b) => (rising ? compare(a, b) : compare(b, a)));
    body.append(...rows);
  }

  filter.addEventListener("input", choose);
  state.addEventListener("change", choose);
  document.querySelectorAll("button.sort").forEach((each) => each.addEventListener("click", () => sort(each.closest("th"))));
  choose();
})();
