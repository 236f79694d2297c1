// Keeps a page that is open up to date: when central has news, the page is fetched again and its content exchanged.
"use strict";

const stream = document.body.dataset.live;
const QUIET_MS = 1000;

function busy() {
  // Whoever is filling in a form or reading an opened table is not interrupted.
  const active = document.activeElement;
  return document.hidden || (active && active.closest("form")) || document.querySelector("#content details[open]");
}

if (stream) {
  const told = document.getElementById("live");
  let pending = false;
  let timer = 0;

  const renew = async () => {
    timer = 0;
    if (busy()) return;
    pending = false;
    const answer = await fetch(location.href, { headers: { "X-Renews-Itself": "1" }, redirect: "error" });
    if (answer.status === 401) return location.reload();
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const path = focused();
    for (const id of ["content", "open-disputes"])
      document.getElementById(id).replaceChildren(...fresh.getElementById(id).childNodes);
    if (path) document.querySelector(path)?.focus({ preventScroll: true });
    told.textContent = "Live: renewed " + new Date().toLocaleTimeString();
  };

  const focused = () => {
    const link = document.activeElement?.closest("#content a[href]");
    return link ? `#content a[href="${CSS.escape(link.getAttribute("href"))}"]` : null;
  };

  const news = () => {
    pending = true;
    timer ||= setTimeout(() => renew().catch(() => {}), QUIET_MS);
  };

  const source = new EventSource(stream);
  let version = document.body.dataset.version;  // news may have come before the stream was open
  source.addEventListener("hello", (event) => {
    if (version !== event.data) news();
    version = event.data;
  });
  source.onmessage = (event) => {
    version = event.data;
    news();
  };
  source.onopen = () => (told.textContent = "Live");
  source.onerror = () => (told.textContent = "Not live: central does not answer");
  const catchUp = () => pending && !timer && news();
  document.addEventListener("visibilitychange", catchUp);
  document.addEventListener("focusout", catchUp);
  document.addEventListener("toggle", catchUp, true);
}
