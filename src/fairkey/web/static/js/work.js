// Proof of work of a form: <form data-work="challenge" data-work-bits="16"> gets "challenge:nonce" into its field _work before it is sent.

const STEP = 512;

function zeroBits(bytes) {
  let bits = 0;
  for (const byte of bytes) {
    if (byte) return bits + Math.clz32(byte) - 24;
    bits += 8;
  }
  return bits;
}

async function solved(challenge, bits) {
  const encoder = new TextEncoder();
  for (let nonce = 0; ; nonce += STEP) {
    const answers = Array.from({ length: STEP }, (_, index) => `${challenge}:${nonce + index}`);
    const hashes = await Promise.all(answers.map((answer) => crypto.subtle.digest("SHA-256", encoder.encode(answer))));
    const found = hashes.findIndex((hash) => zeroBits(new Uint8Array(hash)) >= bits);
    if (found >= 0) return answers[found];
  }
}

for (const form of document.querySelectorAll("form[data-work]")) {
  // Plain http outside this machine has no crypto.subtle: then waiting counts, as without JavaScript.
  if (!globalThis.crypto?.subtle) continue;
  const field = form.elements.namedItem("_work");
  const work = solved(form.dataset.work, Number(form.dataset.workBits)).then((answer) => { field.value = answer; });
  form.querySelector("[data-work-note]")?.remove();
  form.addEventListener("submit", (event) => {
    if (field.value.includes(":")) return;
    event.preventDefault();
    work.then(() => form.requestSubmit(event.submitter ?? undefined));
  });
}
