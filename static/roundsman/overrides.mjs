// Keys on the queue and on a decision, and a choice that survives the queue's refresh.
//
// Queue: j and k move, x chooses, Enter opens. Decision: each button names its key.

const chosen = new Set();

function rows() {
  return [...document.querySelectorAll("[data-row]")];
}

function isTyping(target) {
  return target.closest("input:not([type=checkbox]), textarea, select") !== null;
}

function move(step) {
  const links = rows().map((row) => row.querySelector("[data-open]"));
  if (!links.length) return;
  const row = document.activeElement?.closest("[data-row]");
  const at = row ? rows().indexOf(row) : -1;
  const next = Math.min(links.length - 1, Math.max(0, at + step));
  links[next].focus();
}

function choose() {
  const box = document.activeElement?.closest("[data-row]")?.querySelector("[name=id]");
  if (box && !box.disabled) box.click();
}

function press(key) {
  const button = document.querySelector(`[data-key="${key}"]`);
  if (!button) return false;
  button.focus();
  button.click();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "x") choose();
  else if (!press(event.key)) return;
  event.preventDefault();
});

document.addEventListener("change", (event) => {
  if (event.target.name !== "id") return;
  const id = event.target.value.split(":")[0];
  if (event.target.checked) chosen.add(id);
  else chosen.delete(id);
});

function again() {
  for (const box of document.querySelectorAll("[data-queue] [name=id]")) {
    if (!box.disabled && chosen.has(box.value.split(":")[0])) box.checked = true;
  }
}

new MutationObserver(again).observe(document.body, { childList: true, subtree: true });
