// What a browser with scripts adds to the page: numbers that are renewed, claims judged by the arbiter in the browser, buttons that copy. The page is whole without it.
// All that comes from elsewhere becomes text, never markup.
import { load, judge } from "/arbiter.mjs";

const RENEW_MS = 5000;

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const element = (name, attributes = {}, ...inside) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
};

// The words of src/words.rs.
const count = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");
const bytes = (number) => {
  let step = 0;
  for (let scaled = number; scaled >= 1024; scaled /= 1024) step += 1;
  const tenths = Math.floor((number / 1024 ** step) * 10);
  return step === 0 ? `${number} B` : `${Math.floor(tenths / 10)}.${tenths % 10} ${["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][step - 1]}`;
};
const span = (seconds) => {
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days) return `${count(days)} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
};
const stamp = (seconds) => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
const time = (seconds) => element("time", { datetime: stamp(seconds) }, stamp(seconds).replace("T", " ").replace("Z", " UTC"));

// --- Numbers

function renew(facts) {
  const won = facts.tiers.filter((tier) => tier.won > 0).length;
  const live = {
    uptime: span(facts.uptime),
    connections: count(facts.connections),
    handshakes: count(facts.handshakes.total),
    failures: count(facts.failures.total),
    "bytes-in": bytes(facts.bytes.in),
    "bytes-out": bytes(facts.bytes.out),
    ended: count(facts.cells.ended.total),
    size: facts.log ? count(facts.log.size) : "none",
    "head-size": facts.log?.size,
    root: facts.log?.root,
    time: time(facts.time),
    heartbeat: facts.heartbeat === null ? "not yet" : `${span(Math.max(0, facts.time - facts.heartbeat))} ago`,
    "no-wins": won === 0 ? "None so far." : "",
    won: won === 0 ? `None of ${facts.tiers.length} tiers won` : `${won} of ${facts.tiers.length} tiers won`,
  };
  for (const place of all("[data-live]")) {
    const value = live[place.dataset.live];
    if (value !== undefined && (value.textContent ?? String(value)) !== place.textContent) place.replaceChildren(value);
  }
  const tallies = { handshakes: facts.handshakes, failures: facts.failures, endings: facts.cells.ended };
  for (const place of all("[data-tally]")) tally(place, tallies[place.dataset.tally].kinds);
  for (const { tier, won } of facts.tiers) {
    const card = document.getElementById(`tier-${tier}`);
    card.toggleAttribute("data-won", won > 0);
    card.querySelector("[data-state]").textContent = won > 0 ? "Won" : "Not won";
  }
  for (const place of all("[data-wins]")) place.replaceChildren(...facts.tiers.flatMap(wins));
}

function tally(place, counts) {
  const rows = counts.length > 0 ? counts : [{ name: "none", count: 0 }];
  place.replaceChildren(...rows.map((row) => element("tr", {}, element("th", { scope: "row" }, row.name), element("td", {}, count(row.count)))));
}

function wins({ tier, won, wins: shown }) {
  const told = shown.map(({ claimant, text, time: when, committed, entry }) => {
    const before = committed === null ? [] : [", committed to ", time(committed)];
    const by = element("p", {}, element("code", {}, tier), " by ", element("span", { class: "who" }, claimant), ", ", time(when), ...before, `, entry ${entry} of the log:`);
    return element("li", {}, by, element("blockquote", {}, text));
  });
  const more = won - shown.length;
  return more > 0 ? [...told, element("li", {}, element("p", {}, element("code", {}, tier), ` ${more} more times: they are in the log.`))] : told;
}

async function renewing() {
  try {
    const answer = await fetch("/facts.json", { cache: "no-cache" });
    if (answer.ok) renew(await answer.json());
  } catch {
    // The box does not answer just now. The page says as of when its numbers are.
  }
}

// --- Claims

const module = () => (module.loaded ??= load(fetch("/arbiter.wasm")));
const text = async (path) => (await fetch(path)).text();

// The manifest that a claim names: it may be an earlier version. What names none of this contest's is judged by the one in force.
async function manifestOf(claim) {
  const named = claim?.match(/^manifest ([0-9a-f]{64})$/m)?.[1];
  const answer = named && (await fetch(`/manifest/${named}`));
  if (!answer || answer.status === 404) return text("/manifest");
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.text();
}

// The verdict of the browser: from the manifest and the operator's key as they are served, by the browser's clock.
async function ownVerdict({ claim, receipt, opening }) {
  const [program, manifest, operator] = await Promise.all([module(), manifestOf(claim), text("/operator")]);
  const [title, ...lines] = await judge(program, { operator: operator.trim(), manifest, claim, receipt, opening, now: Math.floor(Date.now() / 1000) });
  return { title, document: lines.join("\n") };
}

// What was committed to is handed in as the log keeps it: claim, receipt and opening, with an empty line between each two.
async function boxVerdict({ claim, receipt, opening }) {
  const body = receipt || opening ? [claim, receipt ?? "", opening ?? ""].join("\n") : claim;
  const answer = await fetch("/claim", { method: "POST", headers: { accept: "application/json" }, body });
  if (!answer.ok) return { title: "Not judged", document: await answer.text() };
  return answer.json();
}

function verdict(who, { title, document: lines, note }) {
  const parts = [element("h4", {}, who), element("p", { class: "verdict", "data-verdict": title }, title)];
  if (lines) parts.push(element("pre", { class: "text" }, lines.trimEnd()));
  if (note) parts.push(element("p", { class: "aside" }, note));
  return element("section", {}, ...parts);
}

async function tell(place, who, asked) {
  const waiting = element("section", {}, element("h4", {}, who), element("p", { class: "verdict" }, "…"));
  place.append(waiting);
  const told = await asked.catch((fault) => ({ title: "Not judged", document: String(fault) }));
  waiting.replaceWith(verdict(who, told));
}

function judging(form) {
  const place = document.getElementById("verdicts");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const lines = (field) => (field.value.trim() ? `${field.value.trimEnd()}\n` : null);
    const { claim: field, receipt, opening } = form.elements;
    const claim = { claim: lines(field), receipt: lines(receipt), opening: lines(opening) };
    const button = form.querySelector("button");
    button.disabled = true;
    place.replaceChildren();
    const own = form.hasAttribute("data-arbiter") ? [tell(place, "Your browser says", ownVerdict(claim))] : [];
    await Promise.all([...own, tell(place, "The box says", boxVerdict(claim))]);
    button.disabled = false;
    renewing();
  });
}

// --- Buttons

function copying(commands) {
  const button = element("button", { type: "button", class: "copy", "aria-label": `Copy the commands: ${commands.dataset.commands}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(commands.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(commands);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  const frame = element("div", { class: "copied" });
  commands.replaceWith(frame);
  frame.append(commands, button);
}

function drawing(nonce) {
  const button = element("button", { type: "button", class: "second" }, "Draw a nonce");
  button.addEventListener("click", () => {
    const drawn = crypto.getRandomValues(new Uint8Array(32));
    nonce.value = Array.from(drawn, (byte) => byte.toString(16).padStart(2, "0")).join("");
  });
  nonce.form.querySelector("button").after(button);
}

// --- All of it

for (const hidden of all(".scripts-only")) hidden.hidden = false;
for (const form of all("#claim-form")) judging(form);
for (const nonce of all("#nonce")) drawing(nonce);
for (const commands of all("pre[data-commands]")) copying(commands);
if (document.querySelector("[data-live]")) {
  setInterval(() => document.hidden || renewing(), RENEW_MS);
}
