"use strict";
// Hashes of the chosen folder's files against the manifest that this page carries. Nothing leaves the browser.
const AT_ONCE_BYTES_MAX = 1024 * 1024 * 1024;
const told = JSON.parse(document.getElementById("data").textContent);
const verdict = document.getElementById("verdict");
const steps = document.getElementById("steps");

function hex(bytes) {
  return Array.from(new Uint8Array(bytes), (one) => one.toString(16).padStart(2, "0")).join("");
}

function say(state, words) {
  const line = document.createElement("li");
  line.dataset.state = state;
  line.textContent = `${{ good: "✓", bad: "✗", unknown: "?" }[state]} ${words}`;
  steps.append(line);
}

function conclude(state, words) {
  verdict.dataset.state = state;
  verdict.textContent = words;
}

async function check(file, wanted, label) {
  if (!file) return ["bad", `${label}：缺少此文件`];
  if (wanted.size !== undefined && file.size !== wanted.size) return ["bad", `${label}：大小不符，文件已被改动`];
  if (file.size > AT_ONCE_BYTES_MAX) return ["unknown", `${label}：文件过大，请用 sha256sum 核对`];
  let digest;
  try {
    digest = hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  } catch (error) {
    return ["unknown", `${label}：浏览器无法读取（${error.name}），请用 sha256sum 核对`];
  }
  return digest === wanted.sha256 ? ["good", label] : ["bad", `${label}：与清单不符，文件已被改动`];
}

async function verify(files) {
  steps.replaceChildren();
  if (!globalThis.crypto?.subtle) {
    conclude("unknown", "无法判断：此浏览器不提供计算功能，请直接从磁盘打开本页。");
    return;
  }
  conclude("unknown", "正在计算……");
  // The pack may lie in a folder of any name: paths count from the manifest's own folder.
  const manifest = files.find((one) => /(^|\/)manifest\.json$/.test(one.webkitRelativePath || one.name));
  const path = (one) => one.webkitRelativePath || one.name;
  const base = manifest ? path(manifest).slice(0, -"manifest.json".length) : "";
  const found = new Map(files.map((one) => [path(one).slice(base.length), one]));
  const wanted = [{ path: "manifest.json", sha256: told.manifest_sha256 }, ...told.files];
  const states = [];
  for (const one of wanted) {
    const [state, words] = await check(found.get(one.path), one, told.names[one.path] ? `${told.names[one.path]}（${one.path}）` : one.path);
    states.push(state);
    say(state, words);
  }
  const known = new Set([...wanted.map((one) => one.path), "verify.html", "SHA256SUMS"]);
  for (const name of found.keys()) {
    if (!known.has(name)) say("unknown", `${name}：不在清单内，未核验`);
  }
  if (states.includes("bad")) conclude("bad", "不成立：有文件缺失或被改动。");
  else if (states.includes("unknown")) conclude("unknown", "无法判断：有文件未能核对。");
  else conclude("good", `成立：${states.length} 个文件均与清单一致。`);
}

document.getElementById("choose").addEventListener("change", (event) => verify([...event.target.files]));
