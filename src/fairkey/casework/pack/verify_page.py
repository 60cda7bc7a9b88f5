"""`verify.html` of a pack: one file that checks hashes in the reader's browser, without a network.

Its content policy stands inside it and names the hashes of its one script and one style, as on the page that verifies
receipts; the manifest is in it as data. What it cannot check, time stamps, it says.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).parent


def verify_page(manifest: Mapping[str, Any], manifest_sha256: str) -> str:
    """The whole file."""
    script = (_HERE / "verify.js").read_text(encoding="utf-8")
    style = (_HERE / "verify.css").read_text(encoding="utf-8")
    data = json.dumps(
        {
            "manifest_sha256": manifest_sha256,
            "files": [
                {"path": one["path"], "sha256": one["sha256"], "size": one["size_bytes"]} for one in manifest["files"]
            ],
            "names": {one["path"]: f"证据 {one['no']}　{one['name']}" for one in manifest["evidence"]},
        },
        ensure_ascii=False,
        sort_keys=True,
    ).replace("<", "\\u003c")
    policy = (
        f"default-src 'none'; script-src '{_hash_of(script)}'; style-src '{_hash_of(style)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    limits = "".join(f"<li>{escape(one)}</li>" for one in manifest["not_proven"])
    return f"""<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>核验证据材料包</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>核验证据材料包</h1>
<p>选择本材料包所在的文件夹，浏览器会在本机逐一计算每个文件的 SHA-256，并与清单比对。不上传任何内容，可断网使用。</p>
<p><label class="choose">选择文件夹<input id="choose" type="file" webkitdirectory multiple></label></p>
<p id="verdict" role="status" aria-live="polite"></p>
<ol id="steps"></ol>
<h2>本页不核验什么</h2>
<ul><li>时间戳：请按 README.txt 用 openssl 核验。</li>
<li>本页和清单出自同一材料包：只有清单的指纹与另行取得的一致时，才说明整个材料包未被替换。</li>{limits}</ul>
<p>清单指纹（manifest.json 的 SHA-256）：<code>{_grouped(manifest_sha256)}</code></p>
</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def _grouped(digest: str) -> str:
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))


def _hash_of(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
