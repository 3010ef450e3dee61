// Keeps a part of a page fresh: asks the server for it again, and puts it in its place.
//
//   <div data-refresh="[address]" data-every-s="2" data-state="solving">…</div>
//
// Without an address the page itself is asked. When the state has changed, the whole page
// is loaded anew. `data-rest` ends it. While somebody works inside the part with the
// keyboard, it stays as it is.

const note = document.querySelector("[data-refresh-note]");
const parser = new DOMParser();

function say(text) {
  if (note && note.textContent !== text) note.textContent = text;
}

async function fetchPart(address) {
  const response = await fetch(address || window.location.href, {
    headers: { Accept: "text/html" },
    cache: "no-store",
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const page = parser.parseFromString(await response.text(), "text/html");
  return page.querySelector("[data-refresh]");
}

async function renew(part) {
  if (document.hidden || part.contains(document.activeElement)) return part;
  const fresh = await fetchPart(part.dataset.refresh);
  if (!fresh || fresh.dataset.state !== part.dataset.state) {
    window.location.reload();
    return null;
  }
  const open = [...part.querySelectorAll("details")].map((item) => item.open);
  part.replaceWith(fresh);
  fresh.querySelectorAll("details").forEach((item, index) => {
    item.open = Boolean(open[index]);
  });
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
