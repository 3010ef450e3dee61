// Follows a running import and shows its result when it has ended.
const box = document.getElementById("import-progress");
const bar = box.querySelector("progress");
const text = box.querySelector("[data-text]");

async function follow() {
  try {
    const answer = await fetch(box.dataset.url, { credentials: "same-origin" });
    if (answer.ok) {
      const run = await answer.json();
      if (run.state !== "queued" && run.state !== "running") {
        location.reload();
        return;
      }
      bar.max = run.rows || 1;
      bar.value = run.rows_done;
      text.textContent = `${run.rows_done} / ${run.rows}`;
    }
  } catch {
    text.textContent = "The connection is lost; trying again.";
  }
  setTimeout(follow, 700);
}

follow();
