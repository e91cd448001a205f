// The desk in the browser: keeps the page true by the server's stream, and says so when it is not.
import { Ages } from "./ages.js";
import { Rows } from "./rows.js";
import { Bell } from "./bell.js";
import { answerInPlace } from "./answer.js";

const body = document.body;
const words = document.getElementById("words").dataset;
const stale = document.getElementById("stale");
const live = document.getElementById("live");
const liveWords = document.getElementById("live-words");
const BEAT_MS = Number(body.dataset.beat) * 1000;
const SILENT_MS = BEAT_MS * 2.5; // a stream that says nothing for so long is dead
const AGAIN_MS = [500, 1000, 2000, 4000];
const REFETCH_MS = 1500;
const ENDED_MS = 1000; // to be heard

const ages = new Ages(Number(body.dataset.now), words);
const rows = new Rows(ages);
const bell = new Bell(words, document.getElementById("sound"), document.getElementById("said"));

let at = body.dataset.version === undefined ? "" : `${body.dataset.boot}.${body.dataset.version}`;
let source = null;
let watchdog = 0;
let heard = 0;
let failures = 0;
let deaf = !document.getElementById("deaf").hidden || !document.getElementById("trouble").hidden;
let since = "";
let refetching = false;
let changedAgain = false;
let ended = false;
let reachable = false; // the server answers, the stream alone does not come

function open() {
  const asked = new URLSearchParams({ at });
  if (body.dataset.rows) asked.set("rows", body.dataset.rows);
  if (body.dataset.watch) asked.set("watch", "1");
  source = new EventSource(`/live?${asked}`);
  watch();
  source.onerror = broke;
  on("beat", (said) => ages.set(said.now));
  on("rows", (said) => {
    rows.take(said);
    if (said.at) at = said.at;
  });
  on("sum", summarise);
  on("changed", refetch);
  on("ended", () => {
    end();
  });
}

function on(name, act) {
  source.addEventListener(name, (event) => {
    wellAgain();
    act(JSON.parse(event.data));
  });
}

function watch() {
  heard = Date.now();
  clearTimeout(watchdog);
  watchdog = setTimeout(broke, SILENT_MS);
}

function wellAgain() {
  watch();
  failures = 0;
  since = "";
  stale.hidden = true;
  bell.hearsNothing(deaf);
  body.classList.remove("stale");
  live.classList.add("on");
  if (liveWords.textContent !== words.live) liveWords.textContent = words.live;
}

function broke() {
  clearTimeout(watchdog);
  if (source) source.close();
  source = null;
  since = since || ages.clock();
  const why = reachable && failures > 2 ? words.many : words.back;
  const said = ended ? words.ended : `${words.stale.replace("{time}", since)} ${why}`;
  if (stale.textContent !== said) stale.textContent = said;
  stale.hidden = false;
  bell.hearsNothing(true);
  body.classList.add("stale");
  live.classList.remove("on");
  liveWords.textContent = "–";
  if (ended) return;
  const wait = AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)];
  failures += 1;
  watchdog = setTimeout(again, wait);
}

function end() {
  ended = true;
  broke();
  bell.warn(words.ended);
  setTimeout(() => location.reload(), ENDED_MS); // asks who it is, or comes back with what they may now
}

// A timer stands still while the machine sleeps: its clock does not.
function wake() {
  if (source && Date.now() - heard > SILENT_MS) broke();
}

async function again() {
  try {
    // An EventSource does not say why it failed: a redirect here says that nobody is signed in.
    const answer = await fetch("/password", { redirect: "manual", signal: AbortSignal.timeout(8000) });
    if (answer.type === "opaqueredirect") {
      end();
      return;
    }
    reachable = answer.ok;
    open();
  } catch {
    reachable = false;
    broke();
  }
}

function summarise(said) {
  const count = document.querySelector("[data-count=waiting]");
  count.textContent = said.waiting;
  count.hidden = said.waiting === 0;
  document.getElementById("trouble").hidden = !said.trouble;
  document.getElementById("deaf").hidden = !said.deaf;
  deaf = said.deaf || said.trouble;
  bell.hearsNothing(deaf);
  bell.take(said);
}

// Pages that are not lists are fetched as a whole; what has not changed is left alone.
async function refetch() {
  changedAgain = refetching;
  if (refetching) return;
  refetching = true;
  try {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(15000) });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    swap(document.getElementById("main"), page.getElementById("main"));
  } catch {
    // the stream says when the server is gone
  } finally {
    setTimeout(() => {
      refetching = false;
      if (changedAgain) refetch();
    }, REFETCH_MS);
  }
}

function swap(old, fresh) {
  const olds = [...old.children], news = [...fresh.children];
  if (olds.length !== news.length) {
    if (old.contains(document.activeElement) && document.activeElement !== old) return;
    old.replaceChildren(...news);
  } else {
    olds.forEach((each, n) => {
      if (bare(each) === bare(news[n]) || each.contains(document.activeElement)) return;
      each.replaceWith(news[n]);
    });
  }
  ages.tick();
}

function bare(element) {
  const copy = element.cloneNode(true);
  copy.querySelectorAll("[data-since]").forEach((time) => { time.textContent = ""; });
  copy.querySelectorAll("details").forEach((each) => { each.open = false; });
  return copy.outerHTML;
}

answerInPlace(words);
ages.start();
open();
setInterval(wake, 1000);
document.addEventListener("visibilitychange", wake);
