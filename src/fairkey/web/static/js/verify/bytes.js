// Bytes and texts, strictly: what is not exactly base64, hex or UTF-8 is refused, as the command line refuses it.

// A file is not what it should be. The message is an English sentence of the catalogue, `values` fills its %(name)s.
export class Refused extends Error {
  constructor(text, values = {}) {
    super(text);
    this.values = values;
  }
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_VALUES = new Int8Array(128).fill(-1);
for (let at = 0; at < 64; at += 1) BASE64_VALUES[BASE64.charCodeAt(at)] = at;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8Encoder = new TextEncoder();

export function toUtf8(text) {
  return utf8Encoder.encode(text);
}

// Null when the bytes are not UTF-8.
export function fromUtf8(bytes) {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return null;
  }
}

// Null when the text is not padded standard base64. A loop, not a pattern: a pattern may overflow on long texts.
export function fromBase64(text) {
  if (text.length % 4) return null;
  let length = text.length;
  while (length > text.length - 2 && length > 0 && text[length - 1] === "=") length -= 1;
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let place = 0; place < length; place += 1) {
    const code = text.charCodeAt(place);
    const value = code < 128 ? BASE64_VALUES[code] : -1;
    if (value < 0) return null;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = (held >> bits) & 0xff;
      at += 1;
    }
  }
  return bytes;
}

export function fromBase64Url(text) {
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  return /[+/=]/.test(text) ? null : fromBase64(standard + "=".repeat((4 - (standard.length % 4)) % 4));
}

export function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const [one, two, three] = [bytes[at], bytes[at + 1], bytes[at + 2]];
    text += BASE64[one >> 2] + BASE64[((one & 3) << 4) | ((two ?? 0) >> 4)];
    text += two === undefined ? "=" : BASE64[((two & 15) << 2) | ((three ?? 0) >> 6)];
    text += three === undefined ? "=" : BASE64[three & 63];
  }
  return text;
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text) {
  if (text.length % 2 || !/^[0-9a-f]*$/.test(text)) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function areEqual(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

// Decimal without sign and leading zero, below 2^63; null otherwise.
export function fromDecimal(text) {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text)) return null;
  const number = BigInt(text);
  return number < 1n << 63n ? number : null;
}

// The place of a blank line (two line feeds): the first, or the last; -1 when there is none.
export function blankLineAt(bytes, isLast) {
  let at = isLast ? bytes.lastIndexOf(10) : bytes.indexOf(10);
  while (at >= 0) {
    if (isLast) {
      if (at > 0 && bytes[at - 1] === 10) return at - 1;
      at = at > 0 ? bytes.lastIndexOf(10, at - 1) : -1;
    } else {
      if (bytes[at + 1] === 10) return at;
      at = bytes.indexOf(10, at + 1);
    }
  }
  return -1;
}
