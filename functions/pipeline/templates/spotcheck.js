"use strict";
(() => {
  const body = document.body;
  document.querySelectorAll("[data-no-script]").forEach((node) => { node.hidden = true; });
  document.querySelectorAll("[hidden][data-script]").forEach((node) => { node.hidden = false; });
  const sections = [...document.querySelectorAll("section[data-object]")];
  const status = document.getElementById("status");
  const judged = () => sections.flatMap((section) => {
    const chosen = section.querySelector("input[type=radio]:checked");
    if (!chosen) return [];
    const comment = section.querySelector("textarea").value.trim();
    return [{ object: section.dataset.object, leaddesk_id: section.dataset.id, verdict: chosen.value, comment }];
  });
  const tell = () => { status.textContent = `${judged().length} of ${sections.length} records are judged`; };
  document.addEventListener("change", tell);
  document.getElementById("download").addEventListener("click", () => {
    const by = document.getElementById("by").value.trim();
    if (!by) {
      status.textContent = "Write your name first: it is kept with the result";
      document.getElementById("by").focus();
      return;
    }
    const file = {
      version: "1", run: body.dataset.run, sample: Number(body.dataset.sample), digest: body.dataset.digest, by,
      records: judged(),
    };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(file, null, 2) + "\n"], { type: "application/json" }));
    link.download = "spotcheck.json";
    link.click();
    URL.revokeObjectURL(link.href);
    status.textContent = `spotcheck.json holds ${file.records.length} judged records`;
  });
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || (event.key !== "n" && event.key !== "p")) return;
    const at = sections.indexOf(document.activeElement.closest("section[data-object]"));
    const next = sections[Math.min(sections.length - 1, Math.max(0, at + (event.key === "n" ? 1 : -1)))];
    next.querySelector("h2").focus();
    event.preventDefault();
  });
  tell();
})();
