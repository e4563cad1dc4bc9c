// The pool's page follows by itself: pieces of it come as server-sent events. EventSource connects again by itself and
// says which piece it had last, so that after a break only what is new is sent.
"use strict";

(() => {
  const ages = document.getElementById("ages");
  if (!ages) return;
  const told = JSON.parse(ages.dataset.ages);
  const stream = document.getElementById("stream");
  const nodes = document.getElementById("nodes");
  let heard = Date.now();

  const words = (seconds) => (seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`);
  const showAges = () => {
    const passed = (Date.now() - heard) / 1000;
    for (const place of ages.querySelectorAll("[data-age]")) {
      const one = told[place.dataset.age];
      place.textContent = !one || one.age === null ? "not known yet" : `as of ${words(one.age + passed)} ago${one.away ? ", away" : ""}`;
    }
  };

  const take = (piece) => {
    if (piece.dataset.gone) {
      document.getElementById(piece.dataset.gone)?.remove();
      return;
    }
    const there = document.getElementById(piece.id);
    if (there) {
      const [left, top] = [there.scrollLeft, there.scrollTop];
      const focused = there === document.activeElement;
      there.replaceWith(piece);
      [piece.scrollLeft, piece.scrollTop] = [left, top];
      if (focused) piece.focus({ preventScroll: true });
    } else if (piece.classList.contains("node")) {
      document.getElementById("no-nodes")?.remove();
      nodes.insertBefore(piece, [...nodes.children].find((other) => other.id > piece.id) ?? null);
    }
  };

  // A live region that is replaced says nothing to a screen reader: its new lines are put into the old one.
  const log = (piece) => {
    const there = document.getElementById("hand-list");
    const had = new Set([...there.children].map((line) => line.textContent));
    const fresh = [...piece.children].filter((line) => !had.has(line.textContent));
    const wanted = new Set([...piece.children].map((line) => line.textContent));
    for (const line of [...there.children]) if (!wanted.has(line.textContent)) line.remove();
    there.prepend(...fresh);
  };

  const status = (piece) => {
    const there = document.getElementById("src-away");
    if (there.textContent !== piece.textContent) there.replaceChildren(...piece.childNodes);
  };

  // A browser gives up for good when it is answered with an error, as while the hub is away: then we come again.
  let mark = ages.dataset.mark;
  const follow = () => {
    const source = new EventSource(`${ages.dataset.events}?mark=${encodeURIComponent(mark)}`);
    source.addEventListener("pieces", (event) => {
      mark = event.lastEventId;
      const template = document.createElement("template");
      template.innerHTML = event.data;
      for (const piece of [...template.content.children]) {
        if (piece.id === "hand-list") log(piece);
        else if (piece.id === "src-away") status(piece);
        else take(piece);
      }
    });
    source.addEventListener("ages", (event) => {
      Object.assign(told, JSON.parse(event.data));
      heard = Date.now();
      document.documentElement.dataset.live = "yes";
      if (stream.textContent) stream.textContent = "";
      showAges();
    });
    source.addEventListener("error", () => {
      document.documentElement.dataset.live = "no";
      if (source.readyState === EventSource.CLOSED) {
        stream.textContent = "This page does not follow at the moment: it is tried again; if you have signed out, load it anew.";
        setTimeout(follow, 10000);
      } else {
        stream.textContent = "The connection is lost; it is tried again.";
      }
    });
  };

  follow();
  showAges();
  setInterval(showAges, 1000);
})();
