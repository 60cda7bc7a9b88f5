"""The verify page's modules in a real browser: they say what `proofs/` says, about good files and spoiled ones."""

import importlib
import pkgutil
import re
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

import fairkey.business
from fairkey.business.basics import Event
from fairkey.web.i18n import WEB
from fairkey.web.verify.saved import MODULES, ModulesDoNotFit, one_script
from verify_cases import LOG_KEY, Case, cases, flips, policy_of, promise, python_verdict

browser_only = pytest.mark.browser

VERDICTS = """async ({cases, hideNative}) => {
  if (hideNative) {
    crypto.subtle.importKey = async () => { throw new DOMException("not here", "NotSupportedError"); };
  }
  const {verdictOf} = await import("/js/verify/verdict.js");
  const {readPolicy} = await import("/js/verify/policy.js");
  const {Refused, fromBase64, toUtf8} = await import("/js/verify/bytes.js");
  const told = [];
  for (const one of cases) {
    let policy = null;
    try {
      policy = await readPolicy(toUtf8(one.policy));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
    const entry = one.entry === null ? null : fromBase64(one.entry);
    const report = await verdictOf({name: one.name, bytes: fromBase64(one.data), entry, policy});
    told.push([report.verdict, report.steps.map((step) => `${step.step} ${step.state}: ${step.sentence.text}`)]);
  }
  return told;
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def modules(chromium: Browser) -> Iterator[Page]:
    """A page of an origin that serves the modules."""
    handler = partial(_Quiet, directory=str(WEB / "static"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        page = chromium.new_page()
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/mark.svg")
        yield page
        page.close()
        server.shutdown()
        thread.join()


def told_by(page: Page, asked: list[Case], *, hide_native: bool = False) -> list[tuple[str, list[str]]]:
    sent: list[dict[str, Any]] = [
        {
            "name": case.name,
            "policy": case.policy,
            "data": b64encode(case.data).decode(),
            "entry": None if case.entry is None else b64encode(case.entry).decode(),
        }
        for case in asked
    ]
    return [tuple(one) for one in page.evaluate(VERDICTS, {"cases": sent, "hideNative": hide_native})]


@pytest.mark.parametrize("name", cases())
def test_python_says_of_each_case_what_the_case_expects(name: str) -> None:
    assert python_verdict(cases()[name]) == cases()[name].expected


@browser_only
@pytest.mark.parametrize("hide_native", [False, True], ids=["native", "own arithmetic"])
def test_the_browser_says_what_python_says(modules: Page, *, hide_native: bool) -> None:
    asked = cases()
    told = told_by(modules, list(asked.values()), hide_native=hide_native)
    wrong = {name: one for name, one in zip(asked, told, strict=True) if one[0] != asked[name].expected}
    assert wrong == {}


@browser_only
def test_any_flipped_bit_gets_the_same_verdict_in_both(modules: Page) -> None:
    asked = flips()
    assert {case.expected for case in asked} >= {"bad", "unknown"}
    told = told_by(modules, asked)
    wrong = [(case.data, case.expected, one) for case, one in zip(asked, told, strict=True) if one[0] != case.expected]
    assert wrong == []


@browser_only
def test_each_fault_is_named_at_its_step(modules: Page) -> None:
    asked = cases()
    steps = {
        "a bit of the entry": "place bad",
        "a bit of the path": "place bad",
        "a bit of the log's signature": "log bad",
        "a bit of a cosignature": "witnesses bad",
        "too few witnesses": "witnesses bad",
        "another log's policy": "policy unknown",
        "another stream's entry before": "chain bad",
        "a field in clear that was another": "disclosures bad",
        "a proof without its entry": "place unknown",
    }
    told = dict(zip(steps, told_by(modules, [asked[name] for name in steps]), strict=True))
    wrong = {name: told[name] for name, step in steps.items() if not any(one.startswith(step) for one in told[name][1])}
    assert wrong == {}


@browser_only
def test_a_codes_proof_is_left_to_the_command_line(modules: Page) -> None:
    code = b' {\n "fairkey_code": 1, "disclosure": "", "registered": ' + cases()["a receipt"].data + b"}"
    ((verdict, _),) = told_by(modules, [Case("unknown", code)])
    assert verdict == "unknown"


@browser_only
def test_policies_are_read_as_python_reads_them(modules: Page) -> None:
    key = str(LOG_KEY.verifier)
    witness = policy_of().split("\n")[1]
    texts = [
        policy_of(),
        policy_of(needed=0),
        "",
        "quorum none",
        f"log {key}\n",
        f"log {key}\nlog {key}\nquorum none\n",
        f"# words\n\n log  {key}\turl \r\nquorum none\n",
        f"log {key}\nquorum nobody\n",
        f"log {key}x\nquorum none\n",
        f"log {key[:-6]}AAAAA=\nquorum none\n",
        f"log {witness.split()[2]}\nquorum none\n",
        f"log {key}\n{witness}\n{witness.replace('ash', 'oak', 1)}\nquorum none\n",
        f"log {key}\n{witness}\ngroup g 2 ash\nquorum g\n",
        f"log {key}\n{witness}\ngroup g any ash\nquorum g\n",
        f"log {key}\n{witness}\ngroup g any ash ash\nquorum g\n",
        f"log {key}\n{witness}\ngroup g all ash\ngroup h 1 ash\nquorum h\n",
        f"log {key}\n{witness}\ngroup constructor constructor ash\nquorum none\n",
        f"log {key}\nquorum none\nquorum none\n",
        f"log {key}\nfrog\nquorum none\n",
    ]
    asked = [Case("", promise(), text) for text in texts]
    told = [one[0] for one in told_by(modules, asked)]
    assert told == [python_verdict(case) for case in asked]
    assert "good" in told


def test_two_things_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "page.js").write_text('import { one } from "./other.js";\n\nfunction two() {}\n')
    (tmp_path / "other.js").write_text("export const one = 1;\nfunction two() {}\n")
    with pytest.raises(ModulesDoNotFit, match="two"):
        one_script(tmp_path)
    (tmp_path / "other.js").write_text('import * as all from "./page.js";\n')
    with pytest.raises(ModulesDoNotFit, match="another form"):
        one_script(tmp_path)


def test_modules_load_nothing_and_write_no_markup() -> None:
    forbidden = [
        "fetch(",
        "XMLHttpRequest",
        "WebSocket",
        "sendBeacon",
        "EventSource",
        "import(",
        "eval(",
        "localStorage",
    ]
    forbidden += ["innerHTML", "outerHTML", "insertAdjacent", "document.write"]
    found = [
        (path.name, word) for path in MODULES.glob("*.js") for word in forbidden if word in path.read_text("utf-8")
    ]
    assert found == []


def _event_kinds() -> set[str]:
    for module in pkgutil.walk_packages(fairkey.business.__path__, "fairkey.business."):
        importlib.import_module(module.name)
    waiting, kinds = [Event], set()
    while waiting:
        below = [one for one in waiting.pop().__subclasses__() if one.__module__.startswith("fairkey.business")]
        waiting += below
        kinds |= {one.kind for one in below}
    return kinds


def test_every_kind_of_entry_has_words() -> None:
    told = set(re.findall(r'^  "([a-z_.]+)": marked', (MODULES / "entry_words.js").read_text("utf-8"), re.MULTILINE))
    assert _event_kinds() - told == set()


def _python_reads(text: str) -> str | None:
    try:
        return b64decode(text, validate=True).hex()
    except ValueError:
        return None


@browser_only
def test_base64_is_read_as_python_reads_it(modules: Page) -> None:
    texts = [
        "",
        "QQ==",
        "QUI=",
        "QUJD",
        "QR==",
        "QQ",
        "QQ=",
        "Q===",
        "====",
        "=QQ=",
        "QQ=Q",
        "QUJ!",
        "QUJ ",
        "QU-_",
        "é",
        "QQ==\n",
    ]
    read = modules.evaluate(
        """async (texts) => {
          const {fromBase64, toHex} = await import("/js/verify/bytes.js");
          return texts.map((text) => { const raw = fromBase64(text); return raw === null ? null : toHex(raw); });
        }""",
        texts,
    )
    assert dict(zip(texts, read, strict=True)) == {text: _python_reads(text) for text in texts}
