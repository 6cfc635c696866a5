// Keeps an open page as the server has it: on each change the page is fetched again, and what differs is laid into
// the one that is open. Focus, open details and scrolling stay; a form that somebody fills in is left as it is and
// marked. Without this script everything works but that.
"use strict";
(() => {
  const PAUSE = 2000; // between two fetches, in milliseconds
  const QUIET = 60000; // between two announcements
  const AGAIN = 30000; // until a stream that failed for good is tried again
  const { seen, updated, stale } = document.body.dataset;
  const status = document.getElementById("live");
  let source = null, told = seen, timer = 0, fetched = 0, announced = 0;

  const isEdited = (form) =>
    form.contains(document.activeElement) && document.activeElement.matches("input, select, textarea") ||
    [...form.elements].some((field) =>
      field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
      : field.type === "file" ? field.files.length > 0
      : field.tagName === "SELECT" ? isChosen(field)
      : field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue);

  // A list where no option is marked shows its first one.
  const isChosen = (list) => {
    const marked = [...list.options].findIndex((option) => option.defaultSelected);
    return list.selectedIndex !== Math.max(marked, 0);
  };

  const holdsEdited = (node) =>
    node.nodeType === Node.ELEMENT_NODE &&
    (node.matches("form") ? [node] : [...node.querySelectorAll("form")]).some(isEdited);

  const mark = (form) => {
    if (form.querySelector(":scope > .stale")) return;
    const note = document.createElement("p");
    note.className = "note stale";
    note.textContent = stale;
    form.prepend(note);
  };

  const same = (old, fresh) =>
    old && old.nodeName === fresh.nodeName && (old.id || "") === (fresh.id || "") &&
    (old.nodeName !== "FORM" || old.getAttribute("action") === fresh.getAttribute("action"));

  // Makes `old` what `fresh` is, keeping every node that can stay. Tells whether something readable changed.
  const lay = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue === fresh.nodeValue) return false;
      old.nodeValue = fresh.nodeValue;
      return true;
    }
    if (old.nodeName === "FORM" && isEdited(old)) {
      mark(old);
      return false;
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
    }
    let changed = false, place = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      let match = place;
      while (match && !same(match, child)) match = match.nextSibling;
      if (!match) {
        old.insertBefore(document.importNode(child, true), place);
        changed = true;
        continue;
      }
      while (place !== match) place = drop(place);
      changed = lay(match, child) || changed;
      place = match.nextSibling;
    }
    while (place) {
      place = drop(place);
      changed = true;
    }
    return changed;
  };

  // Takes a node away, unless somebody is filling in a form in it. Returns the one behind it.
  const drop = (node) => {
    const next = node.nextSibling;
    if (holdsEdited(node)) node.querySelectorAll("form").forEach(mark);
    else node.remove();
    return next;
  };

  const announce = () => {
    if (Date.now() - announced < QUIET) return;
    announced = Date.now();
    status.textContent = "";
    setTimeout(() => { status.textContent = updated; }, 100);
  };

  const refresh = async () => {
    timer = 0;
    fetched = Date.now();
    const address = location.href;
    const reply = await fetch(address, { headers: { accept: "text/html" }, cache: "no-store" }).catch(() => null);
    // A page that answered a form has no address of its own; one that leads to the sign-in is nobody's any more.
    if (!reply || !reply.ok || reply.redirected || address !== location.href) return;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    if (!page.querySelector("main") || !page.body.dataset.seen) return;
    told = page.body.dataset.seen;
    const parts = ["header nav", "main"].map((part) => [document.querySelector(part), page.querySelector(part)]);
    const changed = parts.map(([old, fresh]) => old && fresh && lay(old, fresh));
    document.title = page.title;
    document.body.dataset.seen = told;
    if (changed.includes(true)) announce();
  };

  const soon = () => {
    if (!timer) timer = setTimeout(refresh, Math.max(0, fetched + PAUSE - Date.now()));
  };

  // Only a page that is looked at listens: a browser has few connections for each server.
  const listen = () => {
    if (document.hidden) {
      if (source) source.close();
      source = null;
    } else if (!source) {
      source = new EventSource(`/live?seen=${encodeURIComponent(told)}`);
      source.addEventListener("changed", soon);
      source.addEventListener("error", () => {
        if (source && source.readyState === EventSource.CLOSED) {
          source = null;
          setTimeout(listen, AGAIN);
        }
      });
    }
  };

  document.addEventListener("visibilitychange", listen);
  listen();
})();
