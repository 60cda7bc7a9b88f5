// The page /verify: takes a policy and files from the visitor, shows verdicts. Sends nothing and fetches nothing.
//
// What files say is foreign: it is only ever set as text, never as markup.

import { Refused, toHex, toUtf8 } from "./bytes.js";
import { fieldInWords, kindInWords, moment, publicRows, streamInWords } from "./entry_words.js";
import { canHash, sha256 } from "./hashing.js";
import { NO_QUORUM, POLICY_BYTES_MAX, quorumInWords, readPolicy } from "./policy.js";
import { inWords, learn, marked, plain, said } from "./say.js";
import { FILE_BYTES_MAX, kindOf, verdictOf } from "./verdict.js";
import { ZIP_BYTES_MAX, isZip, unzipped } from "./zip.js";

const VERDICTS = {
  good: { sign: "\u2713", word: marked("Holds"), tone: "good" },
  bad: { sign: "\u2717", word: marked("Does not hold"), tone: "bad" },
  unknown: { sign: "?", word: marked("Cannot tell"), tone: "wait" },
  left: { sign: "\u2013", word: marked("not checked"), tone: "mute" },
};
const STEP_WORDS = { good: marked("holds"), bad: marked("does not hold"), unknown: marked("cannot tell"), left: marked("does not count") };
const NAMES = { receipt: marked("receipt"), promise: marked("promise"), proof: marked("proof"), unknown: marked("file") };
const FILES_MAX = 50;
const RESULTS_MAX = 200;
const IN_ZIPS = /\.(?:fairkey-receipt|fairkey-promise|tlog-proof|entry)$/i;

const page = document.getElementById("verify");
const at = (id) => document.getElementById(id);
const language = document.documentElement.lang;
const state = { policy: null, why: null, files: [], run: 0 };

function made(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.map((one) => (one instanceof Node ? one : inWords(one))));
  return element;
}

// --- whom the visitor trusts

async function readTrust() {
  const run = ++state.run;
  const text = at("verify-policy").value;
  const isConfirmed = at("verify-confirm").checked;
  const told = at("verify-policy-says");
  state.policy = null;
  told.replaceChildren();
  at("verify-fingerprint").textContent = "";
  if (!canHash()) state.why = said("this browser offers no cryptography here");
  else if (!text.trim()) state.why = said("You have given no policy: without keys nobody can tell who signed.");
  else {
    const bytes = toUtf8(text);
    const fingerprint = bytes.length > POLICY_BYTES_MAX ? null : toHex(await sha256(bytes));
    if (run !== state.run) return;
    at("verify-fingerprint").textContent = fingerprint?.replace(/(.{8})(?=.)/g, "$1 ") ?? "";
    try {
      const policy = await readPolicy(bytes);
      if (run !== state.run) return;
      told.append(...trustInWords(policy));
      state.policy = isConfirmed ? policy : null;
      state.why = said("You have not said yet that you trust these keys.");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const why = said(error.message, error.values);
      state.why = error.line
        ? said("The policy cannot be used. Line %(line)s: %(why)s.", { line: error.line, why })
        : said("The policy cannot be used: %(why)s.", { why });
      told.append(made("li", "is-bad", state.why));
    }
  }
  await judgeAll();
}

function trustInWords(policy) {
  const lines = policy.logs.map((log) => made("li", "", said("%(origin)s: that this log signs with the key in this policy.", { origin: log.name })));
  for (const witness of policy.witnesses) {
    lines.push(made("li", "", said("%(name)s: that this witness signs only what continues what it has signed before.", { name: witness.label })));
  }
  lines.push(made("li", "", policy.quorum === NO_QUORUM
    ? said("No witness is asked for: you trust the log alone.")
    : said("Enough is: %(quorum)s. If these agree with each other and with the log to deceive you, this page cannot see it.", { quorum: quorumInWords(policy) })));
  return lines;
}

// --- files

async function takeFiles(list) {
  const taken = [];
  for (const file of [...list].slice(0, FILES_MAX)) taken.push(...await contentsOf(file));
  if (list.length > FILES_MAX) taken.push({ name: "\u2026", refused: said("Only the first %(count)s files are looked at.", { count: FILES_MAX }) });
  state.files = taken.slice(0, RESULTS_MAX);
  state.run += 1;
  await judgeAll();
  at("verify-results").focus();
}

async function contentsOf(file) {
  if (file.size > ZIP_BYTES_MAX) return [{ name: file.name, refused: said("the file is too long") }];
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (!isZip(bytes)) {
      return [file.size > FILE_BYTES_MAX ? { name: file.name, refused: said("the file is too long") } : { name: file.name, bytes }];
    }
    const members = await unzipped(bytes, (name) => IN_ZIPS.test(name), FILE_BYTES_MAX);
    return members.length ? members : [{ name: file.name, refused: said("the zip holds no receipt, promise or proof") }];
  } catch (error) {
    return [{ name: file.name, refused: error instanceof Refused ? said(error.message) : said("the file cannot be read") }];
  }
}

// The files to judge, each proof with the entry it is about: the file of its name without the ending (or with `.entry`),
// or the only other file there is.
function casesOf(files) {
  const others = files.filter((file) => file.bytes && kindOf(file.bytes) === "unknown");
  const proofs = files.filter((file) => file.bytes && kindOf(file.bytes) === "proof");
  const entries = new Set();
  const cases = new Map();
  for (const proof of proofs) {
    const stem = proof.name.replace(/\.tlog-proof$/i, "");
    const entry = others.find((one) => one.name === stem || one.name.replace(/\.[^./]*$/, "") === stem)
      ?? (others.length === 1 && proofs.length === 1 ? others[0] : null);
    if (entry) entries.add(entry);
    cases.set(proof, entry?.bytes ?? null);
  }
  return files.filter((file) => !entries.has(file)).map((file) => ({ ...file, entry: cases.get(file) ?? null }));
}

async function judgeAll() {
  const { run } = state;
  const results = at("verify-results");
  const shown = [];
  for (const one of casesOf(state.files)) {
    const report = one.refused
      ? { name: one.name, kind: "unknown", verdict: "unknown", steps: [], facts: {}, notProven: [], disclosed: [], refused: one.refused }
      : await verdictOf({ name: one.name, bytes: one.bytes, entry: one.entry, policy: state.policy, why: state.why });
    if (run !== state.run) return;
    shown.push(resultOf(report));
  }
  if (shown.length) results.replaceChildren(...shown);
  page.dataset.judged = String(run);
  const say = at("say");
  if (say) say.textContent = shown.map((one) => one.querySelector(".verdict").textContent).join(" ");
}

// --- results

function resultOf(report) {
  const { sign, word, tone } = VERDICTS[report.verdict];
  const name = made("bdi", "");
  name.textContent = plain(report.name).slice(0, 120);
  const mark = made("span", "verdict-mark");
  mark.textContent = sign;
  mark.setAttribute("aria-hidden", "true");
  const head = made("h3", "verdict", mark, made("span", "", said(word)));
  const card = made("article", `card result tone-${tone}`, head, made("p", "hint", said(NAMES[report.kind]), document.createTextNode(" "), name));
  card.dataset.verdict = report.verdict;
  if (report.refused) card.append(made("p", "", report.refused));
  const summary = summaryOf(report);
  if (summary) card.append(made("p", "verdict-lead", summary));
  const rows = report.verdict === "bad" ? [] : rowsOf(report);
  if (rows.length) {
    const heading = report.verdict === "good" ? said("What is proven") : said("What the file says, not proven");
    card.append(made("h4", "", heading), factsOf(rows));
  }
  if (report.disclosed.length && report.verdict !== "bad") {
    const clear = report.disclosed.map((one) => [fieldInWords(one.name), plain(one.value)]);
    card.append(made("h4", "", said("Shown in clear")), factsOf(clear));
  }
  if (report.steps.length) card.append(made("h4", "", said("Step by step")), stepsOf(report));
  if (report.notProven.length && report.verdict !== "bad") {
    card.append(made("h4", "", said("What this does not prove")), made("ul", "bullets", ...report.notProven.map((one) => made("li", "", one))));
  }
  return card;
}

function summaryOf(report) {
  if (report.verdict === "bad") return said("Something in this file was changed, or it was never in the log as it says. Do not rely on anything in it.");
  if (report.verdict === "unknown" && !report.refused) return said("Nothing wrong was found, but something needed to decide is missing; the steps say what.");
  if (report.verdict === "good" && report.kind === "promise") return said("The log has bound itself to this; whether it kept its word shows the receipt.");
  if (report.verdict === "good") return said("This is in the log, unchanged, as the keys you trust have signed it.");
  return null;
}

function rowsOf(report) {
  const { facts, leaf, promise } = report;
  const rows = [];
  const row = (label, value) => rows.push([inWords(said(label)), value]);
  if (leaf) {
    row(marked("What happened"), kindInWords(leaf.kind));
    row(marked("When, as the log says"), moment(leaf.at, language));
    row(marked("Where"), streamInWords(leaf.stream));
    row(marked("Number in this stream"), plain(leaf.version));
    rows.push(...publicRows(leaf.public, language));
  }
  if (promise) {
    row(marked("Recorded"), moment(promise.atMs, language));
    row(marked("In the log by"), moment(promise.byMs, language));
  }
  if (facts.origin !== undefined) row(marked("Log"), plain(facts.origin));
  if (facts.index !== undefined) row(marked("Number in the log"), `${facts.index} / ${facts.size}`);
  for (const one of facts.witnessed ?? []) rows.push([inWords(said("Seen by %(name)s", { name: one.label })), moment(one.atMs, language)]);
  if (facts.leafHash !== undefined) row(marked("Leaf hash"), facts.leafHash);
  return rows;
}

function factsOf(rows) {
  return made("dl", "facts told", ...rows.map(([label, value]) => {
    const [term, told] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = label;
    told.textContent = value;
    told.dir = "auto";
    return made("div", "", term, told);
  }));
}

function stepsOf(report) {
  return made("ol", "verify-steps", ...report.steps.map((step) => {
    const sign = made("span", "verdict-mark");
    sign.textContent = VERDICTS[step.state].sign;
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", inWords(said(STEP_WORDS[step.state])));
    const item = made("li", `tone-${VERDICTS[step.state].tone}`, sign, made("div", "", made("b", "", step.title), made("p", "", step.sentence)));
    item.dataset.step = step.step;
    item.dataset.state = step.state;
    return item;
  }));
}

// --- the page

function listen() {
  for (const id of ["verify-policy", "verify-confirm"]) at(id).addEventListener("input", () => { readTrust(); });
  // Other keys are other trust: what was confirmed before does not count for them.
  at("verify-policy").addEventListener("input", () => { at("verify-confirm").checked = false; }, { capture: true });
  at("verify-policy-file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    at("verify-policy").value = file.size > POLICY_BYTES_MAX ? "" : await file.text();
    at("verify-confirm").checked = false;
    await readTrust();
  });
  at("verify-files").addEventListener("change", (event) => { takeFiles(event.target.files); });
}

learn(JSON.parse(at("verify-words").content.textContent));
page.classList.add("is-ready");
listen();
await readTrust();
page.dataset.ready = "yes";
