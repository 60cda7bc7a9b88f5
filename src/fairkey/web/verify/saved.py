"""The verify page as one file: the very modules of the live page put one after the other, style and words beside them.

Its content policy stands inside the file and names the hashes of its one script and its one style, so that a browser
runs nothing else in it and opens no connection.
"""

import hashlib
import json
import re
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup

from fairkey.web.i18n import WEB, Locale, texts_of
from fairkey.web.render import PageContext, render_text

MODULES: Final = WEB / "static" / "js" / "verify"
ENTRY_MODULE: Final = "page.js"

_IMPORT: Final = re.compile(r'^import \{ ([^}]+) \} from "\./([a-z0-9_]+\.js)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async function|function|class|const) )", re.MULTILINE)
_NAMED: Final = re.compile(r"^(?:async )?(?:function\*?|class|const|let) ([A-Za-z0-9_$]+)", re.MULTILINE)


class ModulesDoNotFit(Exception):
    """The modules cannot stand in one script. The argument says why."""


def one_script(folder: Path = MODULES, entry: str = ENTRY_MODULE) -> str:
    """The module `entry` of `folder` and all it imports as one module, each after those it needs.

    Raises `ModulesDoNotFit` when two modules give one name to two things, or import in another form than ours.
    """
    texts: dict[str, str] = {}
    _collect(folder, entry, texts, ())
    owners: dict[str, str] = {}
    for name, text in texts.items():
        for found in _NAMED.findall(text):
            if found in owners:
                raise ModulesDoNotFit(f"{owners[found]} and {name} both have {found}")
            owners[found] = name
    return "\n".join(texts.values())


def _collect(folder: Path, name: str, texts: dict[str, str], above: tuple[str, ...]) -> None:
    if name in texts:
        return
    if name in above:
        raise ModulesDoNotFit(f"{name} imports itself by way of {' and '.join(above)}")
    text = (folder / name).read_text(encoding="utf-8")
    for _names, needed in _IMPORT.findall(text):
        _collect(folder, needed, texts, (*above, name))
    text = _EXPORT.sub("", _IMPORT.sub("", text))
    if re.search(r"^(?:import|export)\b|</script|<!--", text, re.MULTILINE):
        raise ModulesDoNotFit(f"{name} imports or exports in another form, or holds what ends a script")
    texts[name] = text


@cache
def words_of(locale: Locale) -> str:
    """The sentences that the scripts say, as JSON: English to the page's language; empty for English."""
    script = one_script()
    messages = texts_of(locale).messages.items()
    words = {key[1]: texts[0] for key, texts in messages if key[0] is None and f'"{key[1]}"' in script}
    return json.dumps(words, ensure_ascii=False, separators=(",", ":"))


def saved_page(context: PageContext, policy: str) -> str:
    """The whole file, in the language of `context`. `policy` is only offered in it: whoever reads it confirms it."""
    script, style = one_script(), (WEB / "static" / "fairkey.css").read_text(encoding="utf-8")
    body = Markup(  # noqa: S704 - our own template, escaped by itself
        render_text(context, "verify/saved.html", policy=policy, words=words_of(context.locale), is_saved=True)
    )
    return Markup(
        '<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="{content_policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        "<title>fairkey verify</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n"
        '<script type="module">{script}</script>\n</body>\n</html>\n'
    ).format(
        language=context.locale.replace("_", "-"),
        content_policy=(
            f"default-src 'none'; script-src '{_hash_of(script)}'; style-src '{_hash_of(style)}'; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        ),
        style=Markup(style),  # noqa: S704 - our own file
        body=body,
        script=Markup(script),  # noqa: S704 - our own files
    )


def _hash_of(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
