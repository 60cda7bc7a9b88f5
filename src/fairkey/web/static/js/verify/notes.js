// Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature).

import { Refused, areEqual, blankLineAt, fromBase64, fromDecimal, fromUtf8, joined, toBase64, toHex, toUtf8 } from "./bytes.js";
import { fitsKey, sha256 } from "./hashing.js";
import { HASH_BYTES } from "./merkle.js";

export const PLAIN_KEY = 1;
export const COSIGNING_KEY = 4;
export const NOTE_BYTES_MAX = 1_000_000;
const SIGNATURES_MAX = 100;
const LINE_START = "\u2014 ";
const KEY_NAME = /^[^\s+\p{Cc}]+$/u;

export async function readVerifierKey(text) {
  const [, name = "", keyId = "", encoded = ""] = /^([^+]*)\+([^+]*)\+(.*)$/u.exec(text) ?? [];
  const raw = fromBase64(encoded);
  if (raw === null || raw.length !== 33 || ![PLAIN_KEY, COSIGNING_KEY].includes(raw[0])) {
    throw new Refused("the key of %(name)s is of a kind this program does not know", { name: name || text });
  }
  if (!KEY_NAME.test(name)) throw new Refused("a key's name has no spaces and no '+', and is not empty");
  const known = toHex((await sha256(joined(toUtf8(`${name}\n`), raw))).slice(0, 4));
  if (keyId !== known) {
    throw new Refused("the key of %(name)s does not fit its key id: a character was lost or changed", { name });
  }
  return { name, keyId, kind: raw[0], publicKey: raw.slice(1) };
}

export function readNote(bytes) {
  if (bytes.length > NOTE_BYTES_MAX) throw new Refused("the note is too long");
  const split = blankLineAt(bytes, true);
  if (split < 0) throw new Refused("the note has no blank line before its signatures");
  const text = bytes.slice(0, split + 1);
  const words = fromUtf8(text);
  if (words === null) throw new Refused("the note is not UTF-8");
  if (text.some((byte) => byte < 32 && byte !== 10)) throw new Refused("the note's text has control characters");
  const lines = fromUtf8(bytes.slice(split + 2));
  if (lines === null) throw new Refused("a signature line is not UTF-8 and base64");
  if (!lines.endsWith("\n")) throw new Refused("the signature lines do not end in a line feed");
  const parts = lines.slice(0, -1).split("\n");
  if (parts.length > SIGNATURES_MAX) throw new Refused("the note has too many signatures");
  return { text, words, signatures: parts.map(readSignatureLine) };
}

function readSignatureLine(line) {
  const rest = line.startsWith(LINE_START) ? line.slice(LINE_START.length) : "";
  const space = rest.indexOf(" ");
  const name = rest.slice(0, Math.max(space, 0));
  const raw = fromBase64(rest.slice(space + 1));
  if (space < 0 || !KEY_NAME.test(name) || raw === null || raw.length <= 4) {
    throw new Refused("a signature line has not the form of one");
  }
  return { name, keyId: toHex(raw.slice(0, 4)), payload: raw.slice(4) };
}

// The signatures by `keys`, each key once: [{key, atS}]. Lines of others are passed over; a line of one of them that
// does not fit refuses the whole note.
export async function verifiedSignatures(note, keys) {
  const known = new Map(keys.map((key) => [`${key.name} ${key.keyId}`, key]));
  const verified = new Map();
  for (const line of note.signatures) {
    const key = known.get(`${line.name} ${line.keyId}`);
    if (!key) continue;
    const atS = await verifiedMoment(note.text, line, key);
    if (!verified.has(key)) verified.set(key, { key, atS });
  }
  return [...verified.values()];
}

async function verifiedMoment(text, line, key) {
  let atS = null;
  let [signature, signed] = [line.payload, text];
  if (key.kind === COSIGNING_KEY) {
    if (signature.length !== 72) throw new Refused("the signature of %(name)s has not the form of one", { name: key.name });
    atS = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
    signed = joined(toUtf8(`cosignature/v1\ntime ${atS}\n`), text);
    signature = signature.slice(8);
  }
  if (signature.length !== 64 || (atS ?? 0n) >= 1n << 63n) {
    throw new Refused("the signature of %(name)s has not the form of one", { name: key.name });
  }
  if (!(await fitsKey(key.publicKey, signature, signed))) {
    throw new Refused("the signature of %(name)s does not fit: the text is not what was signed", { name: key.name });
  }
  return atS;
}

export function readCheckpoint(note) {
  const lines = note.words.split("\n");
  if (lines.length !== 4 || !lines[0]) throw new Refused("a checkpoint has three lines: origin, size, root");
  const [origin, sizeText, rootText] = lines;
  const size = fromDecimal(sizeText);
  const root = fromBase64(rootText);
  if (size === null || root === null || root.length !== HASH_BYTES || toBase64(root) !== rootText) {
    throw new Refused("the checkpoint's size or root is out of range");
  }
  return { origin, size, root };
}

export async function isRootOfNothing(root) {
  return areEqual(root, await sha256(new Uint8Array()));
}
