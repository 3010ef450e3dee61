// Keeps a part of a page fresh: asks the server for it again, and puts it in its place.
//
//   <div data-refresh="[address]" data-every-s="2" data-state="solving">…</div>
//
// Without an address the page itself is asked. When the state has changed, the whole page
// is loaded anew. `data-rest` ends it. A part with `data-etag` asks whether it has changed
// (If-None-Match) and is left alone by a 304. While somebody fills in something inside the
// part, it stays as it is; focus on a link, opened details and scrolled regions are kept.

const note = document.querySelector("[data-refresh-note]");
const parser = new DOMParser();

function say(text) {
  if (note && note.textContent !== text) note.textContent = text;
}

const FIELDS = "input, select, textarea, [contenteditable]";
const SCROLLED = ".rm-scroll";

async function fetchPart(part) {
  const headers = { Accept: "text/html" };
  if (part.dataset.etag) headers["If-None-Match"] = part.dataset.etag;
  const address = part.dataset.refresh || window.location.href;
  const response = await fetch(address, { headers, cache: "no-store" });
  if (response.status === 304) return part;
  if (!response.ok) throw new Error(`status ${response.status}`);
  const page = parser.parseFromString(await response.text(), "text/html");
  return page.querySelector("[data-refresh]");
}

function isFillingIn(part) {
  return part.contains(document.activeElement) && document.activeElement.matches(FIELDS);
}

function focused(part) {
  if (!part.contains(document.activeElement)) return null;
  const { id, tagName } = document.activeElement;
  if (id) return `#${CSS.escape(id)}`;
  const href = document.activeElement.getAttribute("href");
  return href ? `${tagName}[href="${CSS.escape(href)}"]` : null;
}

async function renew(part) {
  if (document.hidden || isFillingIn(part)) return part;
  const fresh = await fetchPart(part);
  if (fresh === part || isFillingIn(part)) return part;
  if (!fresh || fresh.dataset.state !== part.dataset.state) {
    window.location.reload();
    return null;
  }
  const open = [...part.querySelectorAll("details")].map((item) => item.open);
  const scrolled = [...part.querySelectorAll(SCROLLED)].map((item) => item.scrollTop);
  const focus = focused(part);
  part.replaceWith(fresh);
  fresh.querySelectorAll("details").forEach((item, index) => {
    item.open = Boolean(open[index]);
  });
  fresh.querySelectorAll(SCROLLED).forEach((item, index) => {
    item.scrollTop = scrolled[index] ?? 0;
  });
  if (focus) fresh.querySelector(focus)?.focus({ preventScroll: true });
  return fresh;
}

function keep(part, failures = 0) {
  if (!part || "rest" in part.dataset) return;
  const everyMs = Number(part.dataset.everyS) * 1000;
  const waitMs = Math.min(60_000, everyMs * 2 ** failures);
  window.setTimeout(async () => {
    try {
      const fresh = await renew(part);
      say("");
      keep(fresh);
    } catch {
      say("The server does not answer. Trying again…");
      keep(part, failures + 1);
    }
  }, waitMs);
}

document.querySelectorAll("[data-refresh]").forEach((part) => keep(part));
