// Keeps the tracking page alive. Without it the page is whole: its button asks anew.
const live = document.getElementById("live");
const ask = document.getElementById("ask");
const asOf = document.getElementById("as-of");
let wait = Number(live.dataset.again);
let timer = 0;

async function look() {
  try {
    const answer = await fetch(live.dataset.url, { cache: "no-store", credentials: "omit" });
    if (answer.status === 410 || answer.status === 404) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    const { html, again_s, at } = await answer.json();
    if (live.innerHTML !== html) live.innerHTML = html;
    asOf.textContent = at;
    wait = again_s;
    if (!wait) ask.remove();
  } catch {
    wait = Math.min(2 * wait || 60, 300);
  }
  again();
}

function again() {
  clearTimeout(timer);
  if (wait && !document.hidden) timer = setTimeout(look, wait * 1000);
}

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
// Whoever sees the page with their own eyes asks where the order is: that is counted.
const seen = new FormData(ask);
fetch(location.pathname, { method: "POST", body: new URLSearchParams(seen), redirect: "manual", credentials: "omit" });
again();
