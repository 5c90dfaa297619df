"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const form = byId("filter"), search = byId("search"), detector = byId("detector");
  const status = byId("status"), empty = byId("nothing");
  const boxes = [...form.querySelectorAll("input[type=checkbox]")];
  const findings = [...document.querySelectorAll(".finding")].map((node) => ({
    node,
    severity: node.dataset.severity,
    detector: node.dataset.detector,
    ids: [...node.querySelectorAll("[data-row]")].map((one) => one.dataset.row),
    text: node.textContent.toLowerCase(),
  }));
  const sections = [...document.querySelectorAll(".detector")];
  const folds = [...document.querySelectorAll("details.more")];
  const families = [...document.querySelectorAll(".family")];
  let row = null;

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const all = severities.size === boxes.length && !words.length && !detector.value && row === null;
    let shown = 0;
    for (const one of findings) {
      const fits = severities.has(one.severity)
        && (!detector.value || one.detector === detector.value)
        && (row === null || one.ids.includes(row))
        && words.every((word) => one.text.includes(word));
      one.node.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const fold of folds) {
      const fitting = fold.querySelectorAll(".finding:not([hidden])").length;
      fold.hidden = !fitting;
      fold.open = !all && fitting > 0;
    }
    for (const section of sections) {
      section.hidden = !all && !section.querySelector(".finding:not([hidden])");
    }
    for (const family of families) {
      family.hidden = !family.querySelector(".detector:not([hidden])");
    }
    empty.hidden = shown > 0 || !findings.length;
    const about = row === null ? "" : ` about row ${row}`;
    status.textContent = `${shown} of ${findings.length} findings on this page shown${about}`;
  }

  function reset() {
    form.reset();
    row = null;
    apply();
  }

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("show-all").addEventListener("click", reset);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-row]");
    if (button) {
      form.reset();
      row = button.dataset.row;
      apply();
      byId("findings").scrollIntoView();
      status.focus({ preventScroll: true });
    }
    const link = event.target.closest("a[href^='#']");
    const target = link && byId(link.getAttribute("href").slice(1));
    if (!target) return;
    if (target.closest("[hidden]")) reset();
    const fold = target.closest("details.more");
    if (fold) fold.open = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey
        && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      search.focus();
    }
  });
  form.hidden = false;
  for (const button of document.querySelectorAll("button[data-row]")) button.disabled = false;
  apply();
})();
