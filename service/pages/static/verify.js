// The page works without this file; with it, a dropped or chosen file is sent at once.
(() => {
  "use strict";
  const form = document.getElementById("drop");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const message = form.querySelector("[role=status]");
  const limit = Number(form.dataset.limit);
  let depth = 0;

  document.documentElement.classList.add("js");

  function show(text, alarm) {
    message.textContent = text;
    form.classList.toggle("alarm", alarm);
  }

  function send() {
    if (!input.files.length) return;
    if (input.files[0].size > limit) {
      show(form.dataset.tooLarge, true);
      input.value = "";
      return;
    }
    show(form.dataset.busy, false);
    form.classList.add("busy");
    form.setAttribute("aria-busy", "true");
    form.submit();
  }

  input.addEventListener("change", send);
  document.addEventListener("dragenter", (event) => {
    event.preventDefault();
    depth += 1;
    form.classList.add("over");
  });
  document.addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) form.classList.remove("over");
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    form.classList.remove("over");
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      send();
    }
  });
  window.addEventListener("pageshow", () => {
    form.classList.remove("busy");
    form.removeAttribute("aria-busy");
    show("", false);
    input.value = "";
  });
})();
