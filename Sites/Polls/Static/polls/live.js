// The results follow the votes: the server sends the list anew whenever it has changed. Without this script, or through a
// gateway that has no WebSockets, the page is what it was when it was loaded.
"use strict";
(() => {
  const results = document.getElementById("results");
  if (!results || results.dataset.gateway !== "asgi" || !("WebSocket" in window)) return;
  const note = document.querySelector(".live");
  const address = new URL(results.dataset.live, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";

  const firstAttempts = 4;
  const longestPause = 30000;
  let socket = null;
  let timer = 0;
  let failures = 0;
  let wasOpen = false;

  function setText(element, text) {
    // An element that says the same again would be read out again.
    if (element.textContent !== text) element.textContent = text;
  }

  function show(markup) {
    const next = document.createElement("template");
    next.innerHTML = markup;
    const list = results.querySelector(".results");
    const newList = next.content.querySelector(".results");
    if (list.children.length === newList.children.length) {
      // In place, so that bars move and nothing that is read or selected is lost.
      Array.from(newList.children).forEach((item, index) => {
        const old = list.children[index];
        for (const part of [".choice", ".count"]) {
          setText(old.querySelector(part), item.querySelector(part).textContent);
        }
        old.querySelector("rect").setAttribute("width", item.querySelector("rect").getAttribute("width"));
      });
    } else {
      list.replaceWith(newList);
    }
    // The total is a status: screen readers tell it when they have nothing else to say.
    setText(results.querySelector(".total"), next.content.querySelector(".total").textContent);
  }

  function connect() {
    clearTimeout(timer);
    socket = new WebSocket(address);
    socket.onopen = () => {
      failures = 0;
      wasOpen = true;
      note.hidden = false;
    };
    socket.onmessage = (event) => show(event.data);
    socket.onclose = () => {
      socket = null;
      note.hidden = true;
      failures += 1;
      // Where the socket was never opened something on the way has none; where it was, the server may be restarting.
      if (!wasOpen && failures >= firstAttempts) return;
      const pause = Math.min(longestPause, 500 * 2 ** Math.min(failures, 10));
      timer = setTimeout(connect, pause * (0.5 + Math.random() / 2));
    };
  }

  // A page that the browser keeps to go back to lets go of its socket.
  addEventListener("pagehide", () => {
    clearTimeout(timer);
    if (socket) {
      socket.onclose = null;
      socket.close();
      socket = null;
      note.hidden = true;
    }
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) connect();
  });
  connect();
})();
