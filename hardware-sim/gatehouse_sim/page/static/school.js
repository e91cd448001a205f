// Shows what the stream says, and sends what is pressed. It computes no lamp: pins do.
"use strict";

const language = document.documentElement.dataset.lang;
const answer = document.getElementById("answer");
const gone = document.getElementById("gone");

// what was pressed is sent in that order, one after the other
let sending = Promise.resolve();

function send(wish) {
  sending = sending.then(async () => {
    try {
      const response = await fetch(`/do?lang=${language}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(wish),
        keepalive: true,
      });
      const said = await response.json();
      answer.textContent = said.said;
      answer.dataset.ok = said.ok;
    } catch {
      gone.hidden = false;
    }
  });
}

// --- the stream -------------------------------------------------------------------------

const byPin = new Map();
for (const element of document.querySelectorAll("[data-pin], [data-contact]")) {
  const pin = Number(element.dataset.pin ?? element.dataset.contact);
  byPin.set(pin, [...(byPin.get(pin) ?? []), element]);
}

function showPins(edges) {
  for (const [pin, level] of edges) {
    for (const element of byPin.get(pin) ?? []) {
      element.dataset.level = level;
      if ("sound" in element.dataset) sound(pin, level);
    }
  }
}

function showNow(said) {
  for (const element of document.querySelectorAll("[data-told]")) {
    const item = said[element.dataset.told];
    if (item === undefined) continue;
    const place = element.querySelector("span") ?? element;
    if (place.textContent !== item.text) place.textContent = item.text;
    if ("state" in item) element.dataset.state = item.state;
    if ("wish" in item) {
      element.disabled = item.off;
      if ("wish" in element.dataset) element.dataset.wish = JSON.stringify(item.wish);
    }
  }
  const list = document.querySelector('[data-list="faults"]');
  const items = said.faults.list;
  if ([...list.children].map((each) => each.textContent).join("\n") !== items.join("\n")) {
    list.replaceChildren(
      ...items.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
    );
  }
}

const stream = new EventSource(`/events?lang=${language}`);
stream.addEventListener("pins", (event) => showPins(JSON.parse(event.data)));
stream.addEventListener("now", (event) => showNow(JSON.parse(event.data)));
stream.onopen = () => {
  gone.hidden = true;
};
stream.onerror = () => {
  gone.hidden = false;
};

// --- hands ------------------------------------------------------------------------------

for (const button of document.querySelectorAll("[data-wish]")) {
  button.addEventListener("click", () => send(JSON.parse(button.dataset.wish)));
}

// Held as long as the mouse, the finger or the key is down; whatever ends that lets go.
for (const button of document.querySelectorAll("[data-hold]")) {
  const wish = JSON.parse(button.dataset.hold);
  const bounce = button.closest("article").querySelector(".bounce");
  let held = false;
  const hold = () => {
    if (held) return;
    held = true;
    button.classList.add("held");
    send(wish.do === "press" ? { ...wish, bounce: bounce.checked } : wish);
  };
  const letGo = () => {
    if (!held) return;
    held = false;
    button.classList.remove("held");
    send({ ...wish, down: false });
  };
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    hold();
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
    button.addEventListener(end, letGo);
  }
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) hold();
  });
  button.addEventListener("keyup", (event) => {
    if (event.key === " " || event.key === "Enter") letGo();
  });
  // a screen reader clicks without holding: a hurried finger then
  button.addEventListener("click", (event) => {
    if (event.detail === 0 && !held) {
      hold();
      setTimeout(letGo, 200);
    }
  });
  window.addEventListener("pagehide", letGo);
}

// --- sound ------------------------------------------------------------------------------

const soundSwitch = document.getElementById("sound");
const tones = new Map();
let audio = null;

function sound(pin, level) {
  if (audio === null) return;
  if (!tones.has(pin)) {
    const tone = new OscillatorNode(audio, { type: "square", frequency: 2400 });
    const loudness = new GainNode(audio, { gain: 0 });
    tone.connect(loudness).connect(audio.destination);
    tone.start();
    tones.set(pin, loudness);
  }
  tones.get(pin).gain.setTargetAtTime(level ? 0.05 : 0, audio.currentTime, 0.002);
}

soundSwitch.addEventListener("click", () => {
  const on = audio === null;
  if (on) {
    audio = new AudioContext();
    for (const element of document.querySelectorAll("[data-sound]")) {
      sound(Number(element.dataset.pin), Number(element.dataset.level));
    }
  } else {
    audio.close();
    audio = null;
    tones.clear();
  }
  soundSwitch.setAttribute("aria-pressed", String(on));
  soundSwitch.textContent = on ? soundSwitch.dataset.on : soundSwitch.dataset.off;
});
