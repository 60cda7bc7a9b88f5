// Sentences: English in the source, translated by the page's own list; a sentence that is not in it stays English.

const translations = new Map();

export function learn(pairs) {
  for (const [text, translated] of Object.entries(pairs)) translations.set(text, translated);
}

// Marks a sentence for the catalogue; it is said later.
export const marked = (text) => text;

// A sentence with what fills its %(name)s; a value may be such a sentence itself.
export function said(text, values = {}) {
  return { text, values };
}

export function inWords(sentence) {
  if (sentence === null || typeof sentence !== "object") return plain(sentence);
  const text = translations.get(sentence.text) ?? sentence.text;
  return text.replace(/%\((\w+)\)s/g, (_, name) => inWords(sentence.values[name] ?? ""));
}

const SHOWN_MAX = 2000;

// Foreign text as a line that cannot disturb what stands around it: no control characters, nothing that turns the
// reading direction, not endless.
export function plain(text) {
  const clean = String(text).replace(/[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
  return clean.length > SHOWN_MAX ? `${clean.slice(0, SHOWN_MAX)}\u2026` : clean;
}
