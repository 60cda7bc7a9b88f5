"""The letter and the list of evidence as a DOCX, for courts that want to edit or print it themselves.

East Asian fonts are named for every run, so that no program takes a Western one for Chinese. The same data gives the
same bytes: members are written again with a fixed date.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from docx.document import Document as Document_
    from docx.text.paragraph import Paragraph

BODY: Final = "宋体"
HEAD: Final = "黑体"
_SPACES: Final = "\n\t\u3000"  # no printable characters to Python, and yet the gaps of blank forms
_FIXED: Final = (2020, 1, 1, 0, 0, 0)


def court_file(letter: Mapping[str, Any], exhibits: Sequence[Mapping[str, Any]], *, as_of_ms: int) -> bytes:
    """The DOCX. `letter`: title, fields, sections; `exhibits`: no, name, source, purpose (as for the PDF pages)."""
    from docx import Document  # noqa: PLC0415 - of the extra "cases"
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415 - of the same
    from docx.shared import Cm  # noqa: PLC0415 - of the same

    made = Document()
    for section in made.sections:
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(2.6)
    title = made.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(title, letter["title"], HEAD, 18)
    if letter["fields"]:
        table = made.add_table(rows=0, cols=2, style="Table Grid")
        for name, value in letter["fields"]:
            cells = table.add_row().cells
            _run(cells[0].paragraphs[0], name, HEAD, 10.5)
            _run(cells[1].paragraphs[0], value, BODY, 10.5)
    if letter["addressee"]:
        _run(made.add_paragraph(), letter["addressee"], BODY, 12)
    for part in letter["sections"]:
        if part["title"]:
            _run(made.add_paragraph(), part["title"], HEAD, 13)
        for line in part["paragraphs"]:
            paragraph = made.add_paragraph()
            paragraph.paragraph_format.first_line_indent = Cm(0.85)
            _run(paragraph, line, BODY, 12)
        _rows(made, part.get("rows", ()))
    if letter.get("sign", True):
        signer = letter.get("signer", "具状人（签名）")
        _run(made.add_paragraph(), f"{signer}：　　　　　　　　日期：　　　年　　月　　日", BODY, 12)
    _list(made, exhibits)
    at = datetime.fromtimestamp(as_of_ms // 1000, UTC).replace(tzinfo=None)
    core = made.core_properties
    core.title, core.author, core.language = letter["title"], "", "zh-CN"
    core.created = core.modified = at
    core.last_modified_by, core.comments, core.revision = "", "", 1
    out = io.BytesIO()
    made.save(out)
    return _again(out.getvalue())


def _rows(made: "Document_", rows: Sequence[Sequence[str]]) -> None:
    """A table whose first row is its head."""
    if not rows:
        return
    table = made.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
    for number, row in enumerate(rows):
        for cell, value in zip(table.add_row().cells, row, strict=True):
            _run(cell.paragraphs[0], value, BODY if number else HEAD, 10.5)


def _list(made: "Document_", exhibits: Sequence[Mapping[str, Any]]) -> None:
    head = made.add_paragraph()
    head.paragraph_format.page_break_before = True
    _run(head, "证据清单", HEAD, 15)
    table = made.add_table(rows=1, cols=4, style="Table Grid")
    for cell, word in zip(table.rows[0].cells, ("编号", "名称", "来源", "证明目的"), strict=True):
        _run(cell.paragraphs[0], word, HEAD, 10.5)
    for one in exhibits:
        cells = table.add_row().cells
        for cell, value in zip(cells, (str(one["no"]), one["name"], one["source"], one["purpose"]), strict=True):
            _run(cell.paragraphs[0], value, BODY, 10.5)


def _run(paragraph: "Paragraph", text: str, font: str, points: float) -> None:
    from docx.oxml.ns import qn  # noqa: PLC0415 - of the extra "cases"
    from docx.shared import Pt  # noqa: PLC0415 - of the same

    kept = "".join(one for one in text if one.isprintable() or one in _SPACES)
    run = paragraph.add_run(kept)
    run.font.size, run.font.name = Pt(points), font
    properties = run._element.get_or_add_rPr()  # noqa: SLF001 - the library offers no other way to the East Asian font
    properties.get_or_add_rFonts().set(qn("w:eastAsia"), font)


def _again(data: bytes) -> bytes:
    """The same archive with members in order and one date."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda one: (one != "[Content_Types].xml", one)):
            member = zipfile.ZipInfo(name, _FIXED)
            member.compress_type, member.create_system, member.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            new.writestr(member, old.read(name))
    return out.getvalue()
