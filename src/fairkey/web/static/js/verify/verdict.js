// From files and a policy to a verdict, step by step. Knows nothing of the page; says sentences, shows nothing.
//
// A step is `good`, `bad`, `unknown` (it could not be decided: nothing is claimed) or `left` (it does not apply, or another
// program does it). One bad step: the file does not hold. Otherwise one unknown step: nobody can tell here. Otherwise it holds.

import { Refused, fromUtf8, toHex } from "./bytes.js";
import { canHash } from "./hashing.js";
import { isIncluded, leafHash } from "./merkle.js";
import { isRootOfNothing, readCheckpoint, readNote, verifiedSignatures } from "./notes.js";
import { NO_QUORUM, isMetBy, quorumInWords } from "./policy.js";
import { RECEIPT_BYTES_MAX, checkedChain, checkedDisclosures, readLeaf, readPromise, readReceipt, PROMISE_FIRST_LINE } from "./receipt.js";
import { marked, said } from "./say.js";
import { PROOF_FIRST_LINE, readTlogProof } from "./tlog_proof.js";

export const FILE_BYTES_MAX = RECEIPT_BYTES_MAX;

export const STEPS = {
  file: marked("File"),
  policy: marked("Whom you trust"),
  log: marked("The log's signature"),
  witnesses: marked("Witnesses"),
  place: marked("Place in the log"),
  entry: marked("What the entry says"),
  disclosures: marked("Disclosures"),
  chain: marked("Earlier entries"),
  tokens: marked("Time stamps"),
};

// `policy`: one that was read and that the visitor has confirmed, or null; then `why` says why there is none.
export async function verdictOf({ name, bytes, entry = null, policy = null, why = marked("no policy was confirmed") }) {
  const report = { name, kind: "unknown", verdict: "unknown", steps: [], facts: {}, notProven: [], disclosed: [], leaf: null, promise: null, earlier: 0 };
  if (!canHash()) {
    add(report, "file", "unknown", said("This browser offers no cryptography here: open the page over https, or save it and open the saved file, or use the command line."));
    return report;
  }
  report.kind = kindOf(bytes);
  const work = { receipt: verifyReceipt, promise: verifyPromise, proof: verifyProof }[report.kind];
  if (work) await work(report, bytes, { policy, why, entry });
  else add(report, "file", "unknown", said("This is no receipt, promise or proof that this page knows."));
  const order = Object.keys(STEPS);
  report.steps.sort((one, other) => order.indexOf(one.step) - order.indexOf(other.step));
  const states = report.steps.map((step) => step.state);
  report.verdict = states.includes("bad") ? "bad" : states.includes("unknown") ? "unknown" : "good";
  return report;
}

export function kindOf(bytes) {
  const start = fromUtf8(bytes.slice(0, 200).map((byte) => (byte < 128 ? byte : 63))) ?? "";
  if (start.startsWith(`${PROOF_FIRST_LINE}\n`)) return "proof";
  if (start.startsWith(`${PROMISE_FIRST_LINE}\n`)) return "promise";
  // A code's proof holds a receipt, and is judged by the command line only.
  if (!/^\s*\{/.test(start) || /^\s*\{\s*"fairkey_code"/.test(start)) return "unknown";
  const text = bytes.length <= RECEIPT_BYTES_MAX ? fromUtf8(bytes) : null;
  return text?.includes('"fairkey_receipt"') ? "receipt" : "unknown";
}

function add(report, step, state, sentence) {
  report.steps.push({ step, title: said(STEPS[step]), state, sentence });
}

// Runs one step; a refusal becomes a bad step and null.
async function attempt(report, step, work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    add(report, step, "bad", said(error.message, error.values));
    return null;
  }
}

function addPolicy(report, policy, why, origin) {
  if (policy === null) {
    add(report, "policy", "unknown", typeof why === "string" ? said(why) : why);
    return null;
  }
  const log = policy.logs.find((one) => one.name === origin);
  if (!log) {
    add(report, "policy", "unknown", said("The policy knows no log %(origin)s: with these keys nothing can be said about it.", { origin }));
    return null;
  }
  const quorum = quorumInWords(policy);
  const trusted = policy.quorum === NO_QUORUM
    ? said("You trust the log %(origin)s alone; the policy asks for no witnesses.", { origin })
    : said("You trust the log %(origin)s as far as these witnesses have seen it: %(quorum)s.", { origin, quorum });
  add(report, "policy", "good", trusted);
  if (policy.quorum === NO_QUORUM) report.notProven.push(said("That the log shows everybody the same: the policy asks for no witnesses."));
  return log;
}

// Policy, log's signature and witnesses of a signed checkpoint; the checkpoint, or null when it cannot be read.
async function judgeCheckpoint(report, noteBytes, { policy, why }) {
  const read = await attempt(report, "log", async () => {
    const note = readNote(noteBytes);
    return { note, checkpoint: readCheckpoint(note) };
  });
  if (read === null) return null;
  const { note, checkpoint } = read;
  const { origin, size } = checkpoint;
  Object.assign(report.facts, { origin, size: String(size) });
  const log = addPolicy(report, policy, why, origin);
  if (log === null) {
    add(report, "log", "unknown", said("Not checked: no key for this log."));
    add(report, "witnesses", "unknown", said("Not checked: no keys of witnesses for this log."));
    return checkpoint;
  }
  const isSigned = await attempt(report, "log", async () => {
    if (!(await verifiedSignatures(note, [log])).length) throw new Refused("the log has not signed this tree");
    if (size === 0n && !(await isRootOfNothing(checkpoint.root))) throw new Refused("the root of nothing is not that of the empty tree");
    return true;
  });
  if (!isSigned) return checkpoint;
  add(report, "log", "good", said("%(origin)s has signed a tree of %(size)s entries.", { origin, size: String(size) }));
  await addWitnesses(report, note, policy);
  return checkpoint;
}

async function addWitnesses(report, note, policy) {
  const labels = new Map(policy.witnesses.map((one) => [one.key, one.label]));
  const seen = await attempt(report, "witnesses", () => verifiedSignatures(note, [...labels.keys()]));
  if (seen === null) return;
  const who = seen.map((one) => ({ label: labels.get(one.key), atMs: Number(one.atS) * 1000 }));
  report.facts.witnessed = who;
  const names = who.map((one) => one.label).join(", ");
  if (!isMetBy(policy, new Set(who.map((one) => one.label)))) {
    add(report, "witnesses", "bad", names
      ? said("Too few: %(names)s have cosigned, the policy wants %(quorum)s.", { names, quorum: quorumInWords(policy) })
      : said("No witness of this policy has cosigned; the policy wants %(quorum)s.", { quorum: quorumInWords(policy) }));
  } else if (policy.quorum === NO_QUORUM && !names) {
    add(report, "witnesses", "left", said("None asked for, none there."));
  } else {
    add(report, "witnesses", "good", said("Cosigned by %(names)s: enough for this policy.", { names }));
  }
}

async function addPlace(report, { leaf, proof, checkpoint }) {
  const { index, path } = proof;
  report.facts.index = String(index);
  const holds = await isIncluded({ leaf, index, size: checkpoint.size, path, root: checkpoint.root });
  const values = { index: String(index), size: String(checkpoint.size) };
  if (holds) add(report, "place", "good", said("The entry is number %(index)s of that tree of %(size)s, counted from 0.", values));
  else add(report, "place", "bad", said("The path does not lead from this entry at place %(index)s to the root of that tree.", values));
}

async function addEntry(report, entry) {
  report.leaf = await attempt(report, "entry", () => readLeaf(entry));
  if (report.leaf === null) return;
  add(report, "entry", "good", said("It is an entry of fairkey and can be read."));
  report.notProven.push(said("That what the entry says is true: it proves that this was written down then, and that nobody has changed it since."));
  report.notProven.push(said("That nothing happened afterwards: later entries may say more."));
}

async function verifyReceipt(report, bytes, given) {
  const receipt = await attempt(report, "file", () => readReceipt(bytes));
  if (receipt === null) return;
  add(report, "file", "good", said("A receipt, whole and readable."));
  const leaf = await leafHash(receipt.entry);
  report.facts.leafHash = toHex(leaf);
  const checkpoint = await judgeCheckpoint(report, receipt.proof.checkpoint, given);
  if (checkpoint !== null) await addPlace(report, { leaf, proof: receipt.proof, checkpoint });
  await addEntry(report, receipt.entry);
  if (report.leaf === null) return;
  await addDisclosures(report, receipt.disclosures);
  await addChain(report, receipt.chain);
  if (receipt.tokens.length) {
    const names = receipt.tokens.map((one) => one.tsa).join(", ");
    add(report, "tokens", "left", said("Time stamps of %(names)s are in the file; the command line checks them.", { names }));
    report.notProven.push(said("What the time stamps in the file are worth: they are not checked on this page."));
  }
}

async function addDisclosures(report, disclosures) {
  const shown = await attempt(report, "disclosures", () => checkedDisclosures(disclosures, report.leaf.sealed));
  if (shown === null) return;
  report.disclosed = shown;
  const count = Object.keys(report.leaf.sealed).length;
  if (shown.length) add(report, "disclosures", "good", said("%(shown)s of %(count)s sealed fields are shown in clear and fit the entry.", { shown: shown.length, count }));
  else add(report, "disclosures", "left", said("None in the file; %(count)s fields stay sealed.", { count }));
}

async function addChain(report, chain) {
  const { version } = report.leaf;
  const leaves = await attempt(report, "chain", () => checkedChain(chain, report.leaf));
  if (leaves === null) return;
  report.earlier = leaves.length;
  if (leaves.length) add(report, "chain", "good", said("%(count)s earlier entries lead to this one without a gap.", { count: leaves.length }));
  else if (version === 1) add(report, "chain", "left", said("This is the first entry; nothing is before it."));
  else {
    add(report, "chain", "left", said("The file brings none."));
    report.notProven.push(said("What was before: the %(count)s earlier entries are not in this file.", { count: version - 1 }));
  }
}

async function verifyPromise(report, bytes, { policy, why }) {
  const promise = await attempt(report, "file", () => readPromise(bytes));
  if (promise === null) return;
  add(report, "file", "good", said("A promise, whole and readable."));
  report.promise = promise;
  Object.assign(report.facts, { origin: promise.origin, leafHash: toHex(promise.leaf) });
  const log = addPolicy(report, policy, why, promise.origin);
  report.notProven = [
    said("That the entry is in the log: a promise says that it will be. The proof is the receipt."),
    said("What the entry says: a promise names it by its hash only."),
  ];
  if (log === null) {
    add(report, "log", "unknown", said("Not checked: no key for this log."));
    return;
  }
  const isSigned = await attempt(report, "log", async () => {
    if (!(await verifiedSignatures(promise.note, [log])).length) throw new Refused("the log has not signed this promise");
    return true;
  });
  if (isSigned) add(report, "log", "good", said("%(origin)s has signed this promise.", { origin: promise.origin }));
}

async function verifyProof(report, bytes, { policy, why, entry }) {
  const proof = await attempt(report, "file", () => readTlogProof(bytes));
  if (proof === null) return;
  add(report, "file", "good", said("A proof (C2SP tlog-proof), whole and readable."));
  const checkpoint = await judgeCheckpoint(report, proof.checkpoint, { policy, why });
  if (checkpoint === null) return;
  report.facts.index = String(proof.index);
  if (entry === null) {
    add(report, "place", "unknown", said("The entry that this proof is about is not here: choose both files together."));
    return;
  }
  const leaf = await leafHash(entry);
  report.facts.leafHash = toHex(leaf);
  await addPlace(report, { leaf, proof, checkpoint });
  await addEntryIfOurs(report, entry);
}

// A proof may be about anything; an entry of another program is no fault.
async function addEntryIfOurs(report, entry) {
  try {
    readLeaf(entry);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    add(report, "entry", "left", said("It is no entry of fairkey; only its place is proven."));
    return;
  }
  await addEntry(report, entry);
}
