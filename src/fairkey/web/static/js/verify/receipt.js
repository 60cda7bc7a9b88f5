// What a party keeps: promises, receipts, and the entries in them.

import { Refused, fromBase64, fromBase64Url, fromHex, fromUtf8, toHex, toUtf8 } from "./bytes.js";
import { sha256 } from "./hashing.js";
import { leafHash } from "./merkle.js";
import { readNote } from "./notes.js";
import { readTlogProof } from "./tlog_proof.js";

export const RECEIPT_BYTES_MAX = 16 * 1024 * 1024;
// A file that holds more wants to keep its reader busy.
const CHAIN_MAX = 10_000;
const DISCLOSURES_MAX = 1_000;
export const PROMISE_FIRST_LINE = "fairkey promise v1";
const RECEIPT_MEMBERS = new Set(["fairkey_receipt", "entry", "proof", "disclosures", "chain", "tokens"]);
const LEAF_MEMBERS = { kind: "string", at: "number", stream: "string", version: "number", prev: "string", shop: "string", sealed: "object", public: "object", v: "number" };

function isPlainObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsedJson(bytes) {
  const text = fromUtf8(bytes);
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isListOf(value, isRight) {
  return Array.isArray(value) && value.every(isRight);
}

const isText = (value) => typeof value === "string";

export function readReceipt(bytes) {
  if (bytes.length > RECEIPT_BYTES_MAX) throw new Refused("the receipt is too long");
  const file = parsedJson(bytes);
  const { fairkey_receipt: version, entry, proof, disclosures = [], chain = [], tokens = [] } = isPlainObject(file) ? file : {};
  const isWhole = isPlainObject(file) && Object.keys(file).every((name) => RECEIPT_MEMBERS.has(name)) && Number.isInteger(version)
    && isText(entry) && isText(proof) && isListOf(disclosures, isText) && isListOf(chain, isText)
    && isListOf(tokens, (one) => isPlainObject(one) && isText(one.tsa) && isText(one.token) && fromBase64(one.token) !== null);
  if (!isWhole) throw new Refused("the file is not a receipt of fairkey");
  const read = readTlogProof(toUtf8(proof));
  const entries = [...chain, entry].map(fromBase64);
  if (entries.includes(null)) throw new Refused("the file is not a receipt of fairkey");
  if (version !== 1) throw new Refused("the receipt is of a later version than this program");
  if (chain.length > CHAIN_MAX || disclosures.length > DISCLOSURES_MAX) throw new Refused("the receipt holds more than one of fairkey can");
  return { entry: entries.pop(), chain: entries, proof: read, disclosures, tokens };
}

export function readLeaf(entry) {
  const leaf = parsedJson(entry);
  const isWhole = isPlainObject(leaf)
    && Object.entries(LEAF_MEMBERS).every(([name, type]) => Object.hasOwn(leaf, name) && typeof leaf[name] === type)
    && [leaf.at, leaf.version, leaf.v].every(Number.isSafeInteger)
    && isPlainObject(leaf.public) && isPlainObject(leaf.sealed) && Object.values(leaf.sealed).every(isText);
  if (!isWhole) throw new Refused("the entry is not one of fairkey's");
  return leaf;
}

// What is shown in clear: [{name, value}], each fitting the digest under its own name in the entry.
export async function checkedDisclosures(disclosures, sealed) {
  const shown = [];
  for (const disclosure of disclosures) {
    const digest = toHex(await sha256(toUtf8(disclosure)));
    const raw = fromBase64Url(disclosure);
    const parts = raw === null ? undefined : parsedJson(raw);
    if (!isListOf(parts, isText) || parts.length !== 3 || !Object.hasOwn(sealed, parts[1]) || sealed[parts[1]] !== digest) {
      throw new Refused("a disclosure belongs to no sealed field of the entry");
    }
    shown.push({ name: parts[1], value: parts[2] });
  }
  return shown;
}

// That the earlier entries (oldest first) lead to `leaf` without a gap: their leaves, oldest first.
export async function checkedChain(chain, leaf) {
  const leaves = [];
  let last = leaf;
  for (const entry of [...chain].reverse()) {
    const before = readLeaf(entry);
    if (last.prev !== toHex(await leafHash(entry))) {
      throw new Refused("entry %(version)s does not follow the one before it", { version: last.version });
    }
    if (before.stream !== last.stream || before.shop !== last.shop || before.version !== last.version - 1) {
      throw new Refused("entry %(version)s follows an entry of something else", { version: last.version });
    }
    leaves.push(before);
    last = before;
  }
  if (chain.length && (last.version !== 1 || last.prev)) throw new Refused("the first entries are missing");
  return leaves.reverse();
}

export function readPromise(bytes) {
  const note = readNote(bytes);
  const lines = note.words.split("\n");
  if (lines.length !== 6 || lines[0] !== PROMISE_FIRST_LINE) throw new Refused("the note is not a promise of fairkey");
  const [, origin, leafHex, at, by] = lines;
  const leaf = fromHex(leafHex);
  if (leaf === null || leaf.length !== 32 || ![at, by].every((one) => /^(?:0|-?[1-9][0-9]{0,15})$/.test(one))) {
    throw new Refused("the promise is not written as promises are");
  }
  return { note, origin, leaf, atMs: Number(at), byMs: Number(by) };
}
