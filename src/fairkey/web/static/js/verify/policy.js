// Whom a verifier believes (C2SP tlog-policy): keys come from this text and from nowhere else.

import { Refused, fromUtf8, toHex } from "./bytes.js";
import { COSIGNING_KEY, PLAIN_KEY, readVerifierKey } from "./notes.js";
import { inWords, said } from "./say.js";

export const POLICY_BYTES_MAX = 256 * 1024;
const GROUPS_MAX = 100; // groups in groups are walked by recursion
export const NO_QUORUM = "none";

export async function readPolicy(bytes) {
  if (bytes.length > POLICY_BYTES_MAX) throw new Refused("the policy is too long");
  const text = fromUtf8(bytes);
  if (text === null) throw new Refused("the policy is not UTF-8");
  const reading = {
    logs: [], witnesses: [], groups: new Map(), quorum: "", unused: new Set(), names: new Set([NO_QUORUM]), keys: new Set(),
  };
  for (const [at, line] of text.split("\n").entries()) {
    const words = line.split(/\s+/u).filter(Boolean);
    if (!words.length || words[0].startsWith("#")) continue;
    try {
      await takeLine(reading, words);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      error.line = at + 1;
      throw error;
    }
  }
  if (!reading.quorum) throw new Refused("there is no quorum line");
  if (new Set(reading.logs.map((log) => log.name)).size !== reading.logs.length) throw new Refused("two logs have the same origin");
  const { logs, witnesses, groups, quorum } = reading;
  return { logs, witnesses, groups, quorum };
}

async function takeLine(reading, words) {
  const [verb, ...rest] = words;
  if (verb === "log" && (rest.length === 1 || rest.length === 2)) {
    const key = await readVerifierKey(rest[0]);
    if (key.kind !== PLAIN_KEY) throw new Refused("a log signs with an Ed25519 key (kind 1)");
    reading.logs.push(key);
  } else if (verb === "witness" && (rest.length === 2 || rest.length === 3)) {
    const key = await readVerifierKey(rest[1]);
    if (key.kind !== COSIGNING_KEY) throw new Refused("a witness cosigns with a key of kind 4");
    const hex = toHex(key.publicKey);
    // One key under two names would count as two witnesses.
    if (reading.keys.has(hex)) throw new Refused("the key of witness %(name)s is used twice", { name: rest[0] });
    reading.keys.add(hex);
    takeName(reading, rest[0]);
    reading.witnesses.push({ label: rest[0], key });
  } else if (verb === "group" && rest.length >= 3) {
    takeGroup(reading, rest);
  } else if (verb === "quorum" && rest.length === 1) {
    if (reading.quorum) throw new Refused("there is a second quorum line");
    if (!reading.names.has(rest[0])) throw new Refused("%(name)s is not defined before its use", { name: rest[0] });
    [reading.quorum] = rest;
  } else {
    throw new Refused("this line is not understood: %(word)s", { word: verb });
  }
}

function takeName(reading, name) {
  if (reading.names.has(name)) throw new Refused("the name %(name)s is used twice", { name });
  reading.names.add(name);
  reading.unused.add(name);
}

function takeGroup(reading, [name, neededText, ...members]) {
  if (new Set(members).size !== members.length || members.some((one) => !reading.unused.has(one))) {
    throw new Refused("group %(name)s: a member is not defined before its use, or used twice", { name });
  }
  if (reading.groups.size === GROUPS_MAX) throw new Refused("the policy has too many groups");
  const counts = { all: members.length, any: 1 };
  const needed = Object.hasOwn(counts, neededText) ? counts[neededText] : /^[0-9]{1,9}$/.test(neededText) ? Number(neededText) : 0;
  if (needed < 1 || needed > members.length) {
    throw new Refused("group %(name)s: %(needed)s of its members cannot be", { name, needed: neededText });
  }
  for (const member of members) reading.unused.delete(member);
  takeName(reading, name);
  reading.groups.set(name, { needed, members });
}

export function isMetBy(policy, labels) {
  return policy.quorum === NO_QUORUM || counts(policy, policy.quorum, labels);
}

// Members are defined before they are used, so this ends; each is used once, so it is no longer than the policy.
function counts(policy, member, labels) {
  const group = policy.groups.get(member);
  if (!group) return labels.has(member);
  return group.members.filter((one) => counts(policy, one, labels)).length >= group.needed;
}

// The quorum as a person reads it: `2 of (a, b, 1 of (c, d))`.
export function quorumInWords(policy, member = policy.quorum) {
  const group = policy.groups.get(member);
  if (!group) return member;
  const names = group.members.map((one) => quorumInWords(policy, one)).join(", ");
  return inWords(said("%(needed)s of (%(names)s)", { needed: group.needed, names }));
}
