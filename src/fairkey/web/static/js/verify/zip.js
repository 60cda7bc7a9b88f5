// Files out of a zip, with bounds: the index at its end is what counts; nothing is read that is not asked for.

import { Refused } from "./bytes.js";

export const ZIP_BYTES_MAX = 32 * 1024 * 1024;
export const MEMBERS_MAX = 200;
const ALL_BYTES_MAX = 64 * 1024 * 1024;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;
const STORED = 0;
const DEFLATED = 8;
const names = new TextDecoder();

export function isZip(bytes) {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

// The files whose name `isWanted`: [{name, bytes}]. `memberBytesMax` bounds each of them, unpacked.
export async function unzipped(bytes, isWanted, memberBytesMax) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const found = [];
    let left = ALL_BYTES_MAX;
    for (const member of membersOf(bytes, view)) {
      if (!isWanted(member.name)) continue;
      if (found.length === MEMBERS_MAX) throw new Refused("the zip holds too many files");
      const content = await contentOf(bytes, view, member, Math.min(left, memberBytesMax));
      left -= content.length;
      found.push({ name: member.name, bytes: content });
    }
    return found;
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw new Refused("the zip is damaged");
    throw error;
  }
}

function* membersOf(bytes, view) {
  let end = bytes.length - END_BYTES;
  const stop = Math.max(0, end - COMMENT_BYTES_MAX);
  while (end >= stop && view.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < stop) throw new Refused("the zip is damaged");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  for (let number = 0; number < count; number += 1) {
    if (view.getUint32(at, true) !== 0x02014b50) throw new Refused("the zip is damaged");
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    yield {
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      packedBytes: view.getUint32(at + 20, true),
      start: view.getUint32(at + 42, true),
      name: names.decode(bytes.subarray(at + 46, at + 46 + nameBytes)),
    };
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
}

async function contentOf(bytes, view, member, bytesMax) {
  if (member.flags & 1 || ![STORED, DEFLATED].includes(member.method)) {
    throw new Refused("the zip is encrypted or packed in a way this page does not know");
  }
  if (view.getUint32(member.start, true) !== 0x04034b50) throw new Refused("the zip is damaged");
  const body = member.start + 30 + view.getUint16(member.start + 26, true) + view.getUint16(member.start + 28, true);
  if (body + member.packedBytes > bytes.length) throw new Refused("the zip is damaged");
  const packed = bytes.slice(body, body + member.packedBytes);
  if (member.method === STORED) {
    if (packed.length > bytesMax) throw new Refused("a file in the zip is too long");
    return packed;
  }
  return inflated(packed, bytesMax);
}

async function inflated(packed, bytesMax) {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const parts = [];
  let length = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    length += step.value.length;
    if (length > bytesMax) {
      await reader.cancel();
      throw new Refused("a file in the zip is too long");
    }
    parts.push(step.value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
