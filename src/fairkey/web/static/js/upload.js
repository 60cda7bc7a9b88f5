// Uploads with progress for <form data-upload>: sends the form in the background, shows how far it is, then goes where the server
// leads (redirect) or shows the page it answers with. Also names the chosen files in drop zones.
// Words for the progress come from the form: data-sending, data-working, data-broken.

function showProgress(form) {
  let box = form.querySelector(".upload-progress");
  if (!box) {
    box = document.createElement("div");
    box.className = "upload-progress";
    box.setAttribute("role", "status");
    const bar = document.createElement("progress");
    bar.max = 100;
    const words = document.createElement("p");
    words.className = "hint";
    box.append(words, bar);
    form.append(box);
  }
  return { bar: box.querySelector("progress"), words: box.querySelector("p") };
}

// <form data-hashed="invoice:invoice_sha256">: of the file in the first field only its SHA-256 is sent, in the second.
async function keepAtHome(form, data) {
  const [fileField, hashField] = (form.dataset.hashed ?? "").split(":");
  const file = fileField ? data.get(fileField) : null;
  if (!(file instanceof File) || !file.size || !globalThis.crypto?.subtle) return;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  data.delete(fileField);
  data.set(hashField, [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
}

async function send(form, submitter) {
  const data = new FormData(form);
  if (submitter?.name) data.append(submitter.name, submitter.value);
  const buttons = [...form.querySelectorAll("button")];
  const { bar, words } = showProgress(form);
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.upload.onprogress = (event) => {
    if (!event.lengthComputable) return;
    const share = Math.floor((event.loaded / event.total) * 100);
    bar.value = share;
    words.textContent = share < 100 ? `${form.dataset.sending ?? ""} ${share}%` : form.dataset.working ?? "";
    if (share === 100) bar.removeAttribute("value");
  };
  request.onload = () => {
    const isPage = (request.getResponseHeader("content-type") ?? "").startsWith("text/html");
    const moved = request.responseURL && new URL(request.responseURL).href !== new URL(form.action, location.href).href;
    if (request.status < 400 && moved) {
      location.assign(request.responseURL);
    } else if (isPage) {
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      document.title = page.title;
      document.getElementById("main").replaceWith(page.getElementById("main"));
      document.getElementById("main").focus();
      scrollTo(0, 0);
    } else {
      fail();
    }
  };
  const fail = () => {
    words.textContent = form.dataset.broken ?? "";
    bar.value = 0;
    for (const button of buttons) button.disabled = false;
  };
  request.onerror = fail;
  request.ontimeout = fail;
  for (const button of buttons) button.disabled = true;
  try {
    await keepAtHome(form, data);
  } catch {
    fail(); // the file cannot be read any more; nothing was sent
    return;
  }
  request.send(data);
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-upload]");
  if (!form || event.defaultPrevented) return;
  event.preventDefault();
  send(form, event.submitter);
});

document.addEventListener("change", (event) => {
  const input = event.target.closest?.('.drop > input[type="file"]');
  const words = input?.closest(".drop").querySelector("[data-drop-words]");
  if (words && input.files.length) words.textContent = [...input.files].map((file) => file.name).join(", ");
});

for (const [kind, isOver] of [["dragenter", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(kind, (event) => event.target.closest?.(".drop")?.classList.toggle("is-over", isOver));
}
