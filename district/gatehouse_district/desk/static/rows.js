// Lists of rows: the server sends only the rows that changed, as HTML that it has escaped.

const REST_MS = 700; // in a flood of alarms the list moves at most so often: somebody must hit a button
const SETTLING_MS = 300;
const SAID_MS = 5000;

export class Rows {
  constructor(ages) {
    this.ages = ages;
    this.lists = new Map();
    for (const list of document.querySelectorAll("ol[data-section]")) {
      this.lists.set(list.dataset.section, list);
    }
    this.rows = new Map();
    for (const row of document.querySelectorAll("li.row[data-id]")) this.rows.set(row.dataset.id, row);
    this.size();
    this.waits = [];
    this.timer = 0;
    this.moved = -Infinity;
    // Whoever presses just as the list moves would answer another alarm than the one they saw.
    this.lists.get("waiting")?.addEventListener("click", (event) => {
      if (event.detail === 0 || performance.now() - this.moved > SETTLING_MS) return; // 0: by keyboard
      if (!event.target.closest("button.acknowledge")) return;
      event.preventDefault();
      this.sayMoved();
    });
  }

  // It lies above the page: what pushed the rows down would move them once more.
  sayMoved() {
    const moved = document.getElementById("moved");
    clearTimeout(this.unsaid);
    moved.hidden = false;
    this.unsaid = setTimeout(() => { moved.hidden = true; }, SAID_MS);
  }

  take(said) {
    this.waits.push(said);
    if (this.timer) return;
    const rest = this.moved + REST_MS - performance.now();
    const inUse = this.lists.get("waiting")?.children.length; // else there is no button to miss
    if (rest > 0 && inUse) this.timer = setTimeout(() => this.apply(), rest);
    else this.apply();
  }

  apply() {
    this.timer = 0;
    for (const said of this.waits.splice(0)) this.change(said);
  }

  change(said) {
    const before = document.activeElement;
    const list = this.lists.get("waiting");
    const shown = list?.children.length;
    const top = list?.firstElementChild;
    const kept = before instanceof HTMLElement ? before.closest("li.row") : null;
    if (said.clear) {
      for (const row of this.rows.values()) row.remove();
      this.rows.clear();
    }
    for (const id of said.gone) {
      this.rows.get(id)?.remove();
      this.rows.delete(id);
    }
    for (const row of said.rows) this.put(row);
    this.size();
    // Where there was no row, no other one can have been meant.
    if (shown && (shown !== list.children.length || top !== list.firstElementChild)) {
      this.moved = performance.now();
    }
    if (kept && !kept.isConnected) this.focusAgain(kept);
  }

  put({ id, section, order, html }) {
    const made = document.createElement("template");
    made.innerHTML = html.trim();
    const row = made.content.firstElementChild;
    const list = this.lists.get(section);
    const old = this.rows.get(id);
    row.dataset.id = id;
    if (!old && section !== "past") row.classList.add("new");
    this.ages.tick(row);
    this.rows.set(id, row);
    if (old && old.parentElement === list && old.dataset.order === order) {
      old.replaceWith(row);
      return;
    }
    old?.remove();
    if (list) list.insertBefore(row, this.after(list, order));
  }

  // Rows stand in their order: the first one that comes after, found by halves.
  after(list, order) {
    const rows = list.children;
    let low = 0, high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].dataset.order < order) low = middle + 1;
      else high = middle;
    }
    return rows[low] ?? null;
  }

  // Whoever works by keyboard goes on where they were: in the same row, else at the next that waits.
  focusAgain(old) {
    const row = this.rows.get(old.dataset.id);
    const waiting = this.lists.get("waiting")?.querySelector("button.acknowledge");
    const next = row?.querySelector("button.acknowledge") ?? waiting ?? row?.querySelector("a");
    (next ?? document.getElementById("main")).focus({ preventScroll: false });
  }

  size() {
    for (const [section, list] of this.lists) {
      const n = document.querySelector(`[data-size="${section}"]`);
      if (n) n.textContent = list.children.length;
    }
  }
}
