// Keeps the spawn page true: asks the hub every few seconds, and at once when something else is chosen.
(() => {
  "use strict";
  const root = document.getElementById("mlinfn-choice");
  const form = root.closest("form");
  const byId = (name) => document.getElementById(`mlinfn-${name}`);
  const [count, cpus, memory, project] = ["count", "cpus", "memory", "project"].map(byId);
  const chosen = () => root.querySelector('input[name="device"]:checked');
  const devices = () => (chosen().value === "none" ? 1 : Number(count.value) || 1);

  // Text that has not changed is left alone: a screen reader would read it again.
  const say = (element, text) => {
    if (element.textContent.trim() !== text) element.textContent = text;
  };

  // A size that nobody touched follows the accelerator; one that somebody typed stays.
  const touched = new Set([cpus, memory].filter((field) => field.value !== ""));
  const fit = (field, hint, each, most, unit) => {
    const suits = Math.round(each * devices() * 10) / 10;
    const bound = Math.round(most * devices() * 10) / 10;
    field.max = bound;
    field.placeholder = suits;
    if (!touched.has(field)) field.value = suits;
    say(hint, `At most ${bound} ${unit}.`);
  };
  const suit = () => {
    const data = chosen().dataset;
    const none = chosen().value === "none";
    byId("count-field").hidden = none;
    // A hidden field with an impossible range would stop the browser from sending the form, without a word.
    count.disabled = none;
    count.max = Math.max(1, Number(data.most));
    if (!none && Number(count.value) > Number(data.most)) count.value = data.most;
    say(byId("count-hint"), `At most ${data.most} in one session.`);
    fit(cpus, byId("cpus-hint"), Number(data.cpus), Number(data.maxCpus), "cores");
    fit(memory, byId("memory-hint"), Number(data.memoryGb), Number(data.maxMemoryGb), "GB");
  };

  const show = (card) => {
    const label = root.querySelector(`.mlinfn-card[data-device="${CSS.escape(card.value)}"]`);
    if (!label) return false;
    for (const part of card.parts) {
      const words = label.querySelector(`[data-part="${part.name}"]`);
      say(words.querySelector("b"), String(part.count));
      words.hidden = !part.count && part.name !== "free";
      label.querySelector(`[data-bar="${part.name}"]`).style.flexGrow = part.count;
    }
    const brief = label.querySelector(".mlinfn-brief");
    brief.dataset.start = card.start;
    say(brief, card.brief);
    const known = { most: card.most, cpus: card.cpus, memoryGb: card.memory_gb,
                    maxCpus: card.max_cpus, maxMemoryGb: card.max_memory_gb };
    Object.assign(label.querySelector("input").dataset, known);
    return true;
  };

  let asked = 0;
  const refresh = async () => {
    const mine = ++asked;
    const query = new URLSearchParams({ user: root.dataset.user, server: root.dataset.server, device: chosen().value });
    for (const field of [count, cpus, memory, project]) {
      if (field.value && !(field === count && chosen().value === "none")) query.set(field.name, field.value);
    }
    try {
      const answer = await fetch(`${root.dataset.offers}?${query}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      const now = await answer.json();
      if (mine !== asked) return; // something else was chosen meanwhile
      const complete = now.cards.map(show).every(Boolean);
      suit();
      byId("outlook").dataset.start = now.start;
      say(byId("sentence"), now.sentence);
      say(byId("refusal"), now.refusal);
      byId("refusal").hidden = !now.refusal;
      say(byId("allowance"), now.allowance);
      byId("silent")?.toggleAttribute("hidden", now.answers);
      say(byId("age"), complete ? "" : "There is a new model of accelerator: load this page again to see it.");
      fresh = new Date();
    } catch {
      say(byId("age"), `The hub does not answer: this is what was so at ${fresh.toLocaleTimeString()}.`);
    }
  };
  let fresh = new Date();

  let soon = 0;
  form.addEventListener("input", (event) => {
    if (event.target === cpus || event.target === memory) {
      touched[event.target.value === "" ? "delete" : "add"](event.target);
    } else {
      suit();
    }
    clearTimeout(soon);
    soon = setTimeout(refresh, 150);
  });
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  setInterval(() => document.hidden || refresh(), 1000 * Number(root.dataset.refreshSeconds));
  suit();
  refresh();
})();
