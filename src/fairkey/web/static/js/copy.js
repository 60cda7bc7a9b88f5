// Copy a text, or save it as a .txt file. Buttons: data-copy-from="element id" (data-done: word shown afterwards),
// data-save-from="element id" with data-save-as="file name".

const WORD_BACK_MS = 2000;

function textOf(id) {
  const element = document.getElementById(id);
  return element ? (element.value ?? element.textContent).trim() : "";
}

async function toClipboard(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Plain http in a local network and old in-app browsers have no clipboard object.
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "spoken";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("copy refused");
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copyFrom);
  const label = button.querySelector("span") ?? button;
  try {
    await toClipboard(textOf(button.dataset.copyFrom));
  } catch {
    // The text stays selected, so that the person can copy it with the keyboard.
    if (source) getSelection()?.selectAllChildren(source);
    return;
  }
  const before = button.dataset.word ?? label.textContent;
  button.dataset.word = before;
  label.textContent = button.dataset.done ?? before;
  const say = document.getElementById("say");
  if (say) say.textContent = label.textContent;
  setTimeout(() => { label.textContent = before; }, WORD_BACK_MS);
}

function save(button) {
  const address = URL.createObjectURL(new Blob([`${textOf(button.dataset.saveFrom)}\r\n`], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = button.dataset.saveAs;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), WORD_BACK_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-copy-from], [data-save-from]");
  if (!button) return;
  if (button.dataset.copyFrom) copy(button);
  else save(button);
});
