// A click on the map writes the place into the form, and draws what the form says.

const picker = document.querySelector("[data-place-picker][data-may-pick]");
const svg = picker?.querySelector("svg[data-west]");
const field = (name) => document.querySelector(`[name="${name}"]`);
const fields = ["latitude", "longitude", "radius_m"].map(field);

if (svg && fields.every(Boolean)) {
  const [latitude, longitude, radius] = fields;
  const frame = Object.fromEntries(
    Object.entries(svg.dataset).map(([name, value]) => [name, Number(value)]),
  );
  const mark = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  mark.setAttribute("class", "rm-map-picked");
  svg.append(mark);

  const draw = () => {
    const lat = Number.parseFloat(latitude.value);
    const lon = Number.parseFloat(longitude.value);
    const metres = Number.parseFloat(radius.value) || 150;
    const isPlace = Number.isFinite(lat) && Number.isFinite(lon);
    mark.toggleAttribute("hidden", !isPlace);
    if (!isPlace) return;
    mark.setAttribute("cx", frame.left + (lon - frame.west) * frame.pxLon);
    mark.setAttribute("cy", frame.top + (frame.north - lat) * frame.pxLat);
    mark.setAttribute("r", Math.max(6, (metres / 111195) * frame.pxLat));
  };

  svg.addEventListener("click", (event) => {
    if (event.target.closest("a")) return;
    const box = svg.getScreenCTM().inverse();
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(box);
    longitude.value = (frame.west + (at.x - frame.left) / frame.pxLon).toFixed(6);
    latitude.value = (frame.north - (at.y - frame.top) / frame.pxLat).toFixed(6);
    draw();
  });
  for (const input of fields) input.addEventListener("input", draw);
  draw();
}
