// What the browser's own cryptography does for us. Without it (pages over plain http) nothing can be told.

import { fitsByOwnArithmetic } from "./ed25519.js";

const SIGNATURE_BYTES = 64;

export function canHash() {
  return Boolean(globalThis.crypto?.subtle);
}

export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

export async function fitsKey(publicKey, signature, message) {
  if (publicKey.length !== 32 || signature.length !== SIGNATURE_BYTES) return false;
  let key;
  try {
    key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  } catch (error) {
    if (error.name === "DataError") return false;
    return fitsByOwnArithmetic(publicKey, signature, message);
  }
  return crypto.subtle.verify("Ed25519", key, signature, message);
}
