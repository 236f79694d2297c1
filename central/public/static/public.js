// The slip's QR code leads to ADDRESS/#CODE: the code goes into its field and out of the address, which is never sent.
"use strict";

const field = document.getElementById("code");

function take() {
  const code = location.hash.slice(1);
  if (!field || !/^[0-9A-Za-z-]{12,20}$/.test(code)) return;
  field.value = code;
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("number").focus();
}

take();
addEventListener("hashchange", take);
for (const link of document.querySelectorAll("a[hreflang]")) {
  // Whoever changes the language keeps what was scanned or typed.
  link.addEventListener("click", () => field && (link.hash = field.value));
}
