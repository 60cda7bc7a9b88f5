// Proofs in the form any C2SP tool reads (c2sp.org/tlog-proof@v1): an index, a path, a signed checkpoint.

import { Refused, blankLineAt, fromBase64, fromDecimal, fromUtf8 } from "./bytes.js";
import { HASH_BYTES } from "./merkle.js";
import { NOTE_BYTES_MAX } from "./notes.js";

export const PROOF_FIRST_LINE = "c2sp.org/tlog-proof@v1";
export const PROOF_BYTES_MAX = NOTE_BYTES_MAX + 131_072;
const PATH_MAX = 63;

export function readTlogProof(bytes) {
  if (bytes.length > PROOF_BYTES_MAX) throw new Refused("the proof is too long");
  const split = blankLineAt(bytes, false);
  const head = split < 0 ? null : fromUtf8(bytes.slice(0, split));
  const [first, ...lines] = head?.split("\n") ?? [""];
  if (first !== PROOF_FIRST_LINE) throw new Refused("the proof does not begin as a tlog-proof does");
  if (lines[0]?.startsWith("extra ") && fromBase64(lines.shift().slice(6)) === null) {
    throw new Refused("a line of the proof is not base64");
  }
  if (!lines[0]?.startsWith("index ")) throw new Refused("the proof has no index");
  const index = fromDecimal(lines.shift().slice(6));
  if (index === null) throw new Refused("the proof's index is no decimal number");
  if (lines.length > PATH_MAX) throw new Refused("the proof's path is too long");
  const path = lines.map(fromBase64);
  if (path.includes(null)) throw new Refused("a line of the proof is not base64");
  if (path.some((part) => part.length !== HASH_BYTES)) throw new Refused("a hash of the proof's path has not 32 bytes");
  return { index, path, checkpoint: bytes.slice(split + 2) };
}
