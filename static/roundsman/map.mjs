// Lights up one route on the map while its name or its row is pointed at, or has the focus.
// It listens at the document, so that a part of the page may be replaced meanwhile.

let lit = null;

function light(number) {
  if (number === lit) return;
  lit = number;
  const routes = document.querySelectorAll(".rm-map-route");
  if (routes.length < 2) return;
  for (const item of routes) {
    const isOther = number !== null && item.dataset.route !== number;
    item.classList.toggle("rm-map-dim", isOther);
  }
  for (const row of document.querySelectorAll("tr[data-route]")) {
    row.classList.toggle("rm-lit", row.dataset.route === number);
  }
}

function follow(event) {
  const item = event.target.closest?.("[data-route]");
  light(item ? item.dataset.route : null);
}

document.addEventListener("pointerover", follow);
document.addEventListener("focusin", follow);
document.addEventListener("focusout", () => light(null));
