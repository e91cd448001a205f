// How long ago: counted by this machine's clock, corrected by the server's.

export class Ages {
  constructor(serverNow, words) {
    this.words = words;
    this.offset = serverNow - Date.now();
    this.clockElement = document.getElementById("clock");
  }

  set(serverNow) {
    this.offset = serverNow - Date.now();
  }

  now() {
    return Date.now() + this.offset;
  }

  clock() {
    return new Date(this.now()).toLocaleTimeString(document.documentElement.lang, { hour12: false });
  }

  start() {
    this.tick();
    setInterval(() => this.tick(), 1000);
  }

  tick(root = document) {
    const now = this.now();
    if (root === document) {
      this.clockElement.dateTime = new Date(now).toISOString();
      this.clockElement.textContent = this.clock();
    }
    for (const time of root.querySelectorAll("time[data-since]")) {
      const since = Number(time.dataset.since);
      if (!since) continue;
      const length = this.said(now - since);
      const said = time.dataset.ago ? this.words.ago.replace("{time}", length) : length;
      if (time.firstChild?.data !== said) time.textContent = said;
    }
  }

  // 42 s; 3 min 05 s; 2 h 10 min; 12 days
  said(ms) {
    const s = Math.max(0, Math.floor(ms / 1000));
    const said = (name, n, m) => this.words[name].replace("{n}", n).replace("{m}", m);
    const two = (n) => String(n).padStart(2, "0");
    if (s < 60) return said("s", s);
    const min = Math.floor(s / 60);
    if (min < 60) return said("minS", min, two(s % 60));
    const h = Math.floor(min / 60);
    if (h < 48) return said("hMin", h, two(min % 60));
    return said("d", Math.floor(h / 24));
  }
}
