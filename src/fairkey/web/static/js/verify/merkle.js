// The Merkle tree of RFC 6962 section 2.1 over SHA-256, as far as a proof of inclusion needs it.

import { areEqual, joined } from "./bytes.js";
import { sha256 } from "./hashing.js";

export const HASH_BYTES = 32;

export function leafHash(entry) {
  return sha256(joined(Uint8Array.of(0), entry));
}

export function nodeHash(left, right) {
  return sha256(joined(Uint8Array.of(1), left, right));
}

// Whether `path` leads from the leaf hash at `index` to `root` of `size` leaves (both BigInt): its exact length, nothing left over.
export async function isIncluded({ leaf, index, size, path, root }) {
  if (index < 0n || index >= size || [leaf, root, ...path].some((part) => part.length !== HASH_BYTES)) return false;
  let node = leaf;
  let at = index;
  let used = 0;
  for (let last = size - 1n; last > 0n; last >>= 1n, at >>= 1n) {
    if (!(at & 1n) && at >= last) continue; // the last node of an odd level is carried up as it is
    if (used === path.length) return false;
    node = at & 1n ? await nodeHash(path[used], node) : await nodeHash(node, path[used]);
    used += 1;
  }
  return used === path.length && areEqual(node, root);
}
