// Shows a message as a person would read it while its text is typed.
//
//   <div data-preview="address" data-kind="" data-language="" data-depot="">…</div>
//
// The server fills the sample in and counts; without this script it does so on saving.

const frame = document.querySelector("[data-preview]");
const form = document.querySelector("form textarea[data-preview-text]")?.form;
const WAIT_MS = 250;
let waiting = 0;
let asked = 0;

function value(name) {
  return form.elements.namedItem(name)?.value || frame.dataset[name] || "";
}

async function show() {
  asked += 1;
  const mine = asked;
  const names = ["depot", "kind", "language", "text"];
  const query = new URLSearchParams(names.map((name) => [name, value(name)]));
  const answer = await fetch(`${frame.dataset.preview}?${query}`, { cache: "no-store" });
  if (!answer.ok || mine !== asked) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  frame.replaceChildren(...page.body.childNodes);
}

function showSoon() {
  window.clearTimeout(waiting);
  waiting = window.setTimeout(() => show().catch(() => {}), WAIT_MS);
}

if (frame && form) {
  form.addEventListener("input", showSoon);
  form.addEventListener("change", showSoon);
}
