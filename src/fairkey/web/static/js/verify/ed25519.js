// Ed25519 signatures (RFC 8032 section 5.1.7), for browsers whose WebCrypto knows SHA-512 but not this curve yet.
//
// Only verification: nothing here is secret, so nothing needs to take the same time. The check is the one without
// cofactor, as in the libraries of the command line: [S]B - [k]A must have the very encoding that the signature begins with.

import { areEqual, joined } from "./bytes.js";

const PRIME = (1n << 255n) - 19n;
const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;
const CURVE_D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const ROOT_OF_MINUS_ONE = 19681161376707505956807079304988542015446066515923890162744021073123829784752n;
const BASE_POINT = pointFrom(
  15112221349535400772501151409588531511454012693041857206046113283949847762202n,
  46316835694926478169428394003475163141307993866256225615783033603165251855960n,
);

function reduced(value) {
  const rest = value % PRIME;
  return rest >= 0n ? rest : rest + PRIME;
}

function raised(value, exponent) {
  let result = 1n;
  for (let base = reduced(value), left = exponent; left > 0n; left >>= 1n, base = reduced(base * base)) {
    if (left & 1n) result = reduced(result * base);
  }
  return result;
}

function pointFrom(x, y) {
  return { x, y, z: 1n, t: reduced(x * y) };
}

// Extended coordinates (RFC 8032 section 5.1.4); complete, so it doubles as well.
function sumOf(one, other) {
  const a = reduced((one.y - one.x) * (other.y - other.x));
  const b = reduced((one.y + one.x) * (other.y + other.x));
  const c = reduced(2n * CURVE_D * one.t * other.t);
  const d = reduced(2n * one.z * other.z);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { x: reduced(e * f), y: reduced(g * h), z: reduced(f * g), t: reduced(e * h) };
}

// [first]one + [second]other, bit by bit for both at once.
function combined(first, one, second, other) {
  const both = sumOf(one, other);
  let result = pointFrom(0n, 1n);
  for (let bit = 255n; bit >= 0n; bit -= 1n) {
    result = sumOf(result, result);
    const isFirst = (first >> bit) & 1n;
    const isSecond = (second >> bit) & 1n;
    if (isFirst && isSecond) result = sumOf(result, both);
    else if (isFirst) result = sumOf(result, one);
    else if (isSecond) result = sumOf(result, other);
  }
  return result;
}

function littleEndian(bytes) {
  let value = 0n;
  for (let at = bytes.length - 1; at >= 0; at -= 1) value = (value << 8n) | BigInt(bytes[at]);
  return value;
}

function decodedPoint(bytes) {
  const encoded = littleEndian(bytes);
  const isOdd = encoded >> 255n;
  const y = reduced(encoded & ((1n << 255n) - 1n));
  const u = reduced(y * y - 1n);
  const v = reduced(CURVE_D * y * y + 1n);
  let x = reduced(u * v ** 3n * raised(u * v ** 7n, (PRIME - 5n) / 8n));
  const square = reduced(v * x * x);
  if (square === reduced(-u)) x = reduced(x * ROOT_OF_MINUS_ONE);
  else if (square !== u) return null;
  return pointFrom((x & 1n) === isOdd ? x : reduced(-x), y);
}

function encodedPoint(point) {
  const inverse = raised(point.z, PRIME - 2n);
  let value = reduced(point.y * inverse) | ((reduced(point.x * inverse) & 1n) << 255n);
  return Uint8Array.from({ length: 32 }, () => {
    const byte = Number(value & 255n);
    value >>= 8n;
    return byte;
  });
}

export async function fitsByOwnArithmetic(publicKey, signature, message) {
  const start = signature.slice(0, 32);
  const scalar = littleEndian(signature.slice(32));
  const key = decodedPoint(publicKey);
  if (key === null || scalar >= ORDER) return false;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", joined(start, publicKey, message)));
  const minusKey = { x: reduced(-key.x), y: key.y, z: key.z, t: reduced(-key.t) };
  return areEqual(encodedPoint(combined(scalar, BASE_POINT, littleEndian(digest) % ORDER, minusKey)), start);
}
