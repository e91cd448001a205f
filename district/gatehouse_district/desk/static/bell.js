// Makes itself heard: sound for as long as a real alarm waits, a notification, the title, one sentence.

const RING_MS = 4000;
const FLAP_MS = 8000; // a server that is restarted is no reason to cry
const WARN_MS = 30000;
const KEY = "desk-sound";

export class Bell {
  constructor(words, button, said) {
    this.words = words;
    this.button = button;
    this.said = said;
    this.title = document.title;
    this.waiting = 0;
    this.newest = null;
    this.since = 0;
    this.deaf = false;
    this.warnAt = 0;
    this.audio = null;
    this.on = localStorage.getItem(KEY) !== "off";
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.toggle());
    // Browsers make no sound before the person has touched the page: any touch will do. Not yet when
    // the button goes down: what changes then could move away what is being pressed.
    for (const name of ["click", "keydown"]) {
      document.addEventListener(name, () => this.wake(), { passive: true });
    }
    this.show();
    setInterval(() => this.ring(), RING_MS);
    setInterval(() => this.blink(), 1000);
  }

  take({ waiting, newest, newest_ms: since, place }) {
    const first = this.newest === null;
    const isNew = !first && newest !== this.newest && since >= this.since;
    this.newest = newest;
    this.since = since;
    this.waiting = waiting;
    this.blink();
    if (isNew && waiting > 0) {
      const text = this.words.alarm.replace("{place}", place);
      this.said.textContent = "";
      this.said.textContent = text;
      this.notify(text, newest);
    }
    if ((isNew || first) && waiting > 0) this.ring();
  }

  // A page that hears nothing is often behind other windows: its title says so, and after some
  // seconds a low tone and a notification, again and again.
  hearsNothing(is) {
    if (is === this.deaf) return;
    this.deaf = is;
    this.warnAt = Date.now() + FLAP_MS;
    this.blink();
  }

  warn(text) {
    this.notify(text, "deaf");
    if (this.state() === "on") this.beep(220, 0, 0.6);
  }

  async toggle() {
    const blocked = this.state() === "blocked";
    if (!blocked) this.on = !this.on;
    localStorage.setItem(KEY, this.on ? "on" : "off");
    await this.wake();
    this.show();
    if (this.on) {
      this.beep(660, 0, 0.15);
      if ("Notification" in window && Notification.permission === "default") Notification.requestPermission();
    }
  }

  async wake() {
    if (!this.on) return;
    try {
      this.audio = this.audio ?? new AudioContext();
      if (this.audio.state !== "running") await this.audio.resume();
    } catch {
      this.audio = null; // no sound on this machine: the button says blocked
    }
    this.show();
  }

  state() {
    if (!this.on) return "off";
    return this.audio?.state === "running" ? "on" : "blocked";
  }

  show() {
    const state = this.state();
    if (this.button.dataset.state === state) return;
    this.button.dataset.state = state;
    const name = `sound${state[0].toUpperCase()}${state.slice(1)}`;
    this.button.textContent = this.words[name];
  }

  ring() {
    if (this.audio && this.state() === "blocked") this.wake(); // some machines stop it in their sleep
    this.show();
    if (!this.waiting || this.state() !== "on") return;
    for (let n = 0; n < 3; n += 1) {
      this.beep(880, n * 0.4, 0.16);
      this.beep(660, n * 0.4 + 0.18, 0.16);
    }
  }

  beep(hertz, after, length) {
    if (this.audio?.state !== "running") return;
    const start = this.audio.currentTime + after;
    const tone = new OscillatorNode(this.audio, { type: "square", frequency: hertz });
    const gain = new GainNode(this.audio, { gain: 0.25 });
    tone.connect(gain).connect(this.audio.destination);
    tone.start(start);
    tone.stop(start + length);
  }

  notify(text, tag) {
    if (!("Notification" in window) || Notification.permission !== "granted" || !document.hidden) return;
    new Notification(text, { requireInteraction: true, tag });
  }

  blink() {
    if (this.deaf) {
      if (Date.now() >= this.warnAt) {
        this.warnAt = Date.now() + WARN_MS;
        this.warn(this.words.deaf);
      }
      document.title = `✕ ${this.words.deaf}`;
      return;
    }
    const said = this.waiting ? `● ${this.words.title.replace("{n}", this.waiting)}` : this.title;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const other = this.waiting && !still && document.title === said;
    document.title = other ? `○ ${this.words.title.replace("{n}", this.waiting)}` : said;
  }
}
