// Lights up one route on the map while its name or its row is pointed at, or has the focus.

const routes = [...document.querySelectorAll(".rm-map-route")];
const rows = [...document.querySelectorAll("tr[data-route]")];

function light(number) {
  for (const item of routes) {
    const isOther = number !== null && item.dataset.route !== number;
    item.classList.toggle("rm-map-dim", isOther);
  }
  for (const row of rows) {
    row.classList.toggle("rm-lit", row.dataset.route === number);
  }
}

if (routes.length > 1) {
  for (const item of document.querySelectorAll("[data-route]")) {
    const { route } = item.dataset;
    item.addEventListener("pointerenter", () => light(route));
    item.addEventListener("pointerleave", () => light(null));
    item.addEventListener("focusin", () => light(route));
    item.addEventListener("focusout", () => light(null));
  }
}
