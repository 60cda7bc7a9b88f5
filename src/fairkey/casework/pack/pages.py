"""PDF pages by typst, as PDF/A-2b, where a character that no font can draw is an error instead of a gap.

Text goes in as data (JSON), never as markup, so nothing in it is obeyed; characters beyond the fonts are named by their
number first. The fonts are Noto Sans SC and Noto Serif SC (OFL-1.1). The same data gives the same bytes.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from .glyphs import with_drawable

SANS: Final = "Noto Sans SC"
SERIF: Final = "Noto Serif SC"
_HERE: Final = Path(__file__).parent
_TEXT_CHARS_MAX: Final = 60_000


def pdf(template: str, data: Mapping[str, Any], pictures: Mapping[str, bytes], *, as_of_ms: int) -> bytes:
    """The PDF of `template` (`letter.typ` or `evidence.typ`). `pictures`: by the names that `data` gives them."""
    import typst  # noqa: PLC0415 - heavy, of the extra "cases"
    from pylopdf_fonts_zh_cn import sans_path, serif_path  # noqa: PLC0415 - of the same extra

    fonts = (Path(sans_path()), Path(serif_path()))
    told = _told(dict(data), fonts) | {"sans": SANS, "serif": SERIF}
    with TemporaryDirectory(prefix="fairkey-pack-") as name:
        root = Path(name)
        for picture, content in pictures.items():
            (root / picture).write_bytes(content)
        (root / "main.typ").write_bytes((_HERE / template).read_bytes())
        made: bytes = typst.compile(
            str(root / "main.typ"),
            root=str(root),
            font_paths=[str(one.parent) for one in fonts[:1]],
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=["a-2b"],
            timestamp=as_of_ms // 1000,
            sys_inputs={"data": json.dumps(told, ensure_ascii=False)},
        )
    return made


def _told(value: Any, fonts: tuple[Path, ...]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return with_drawable(value[:_TEXT_CHARS_MAX], *fonts)
    if isinstance(value, dict):
        return {name: _told(part, fonts) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_told(part, fonts) for part in value]
    return value


def drawable_text(text: str) -> str:
    """The text as pages can draw it."""
    from pylopdf_fonts_zh_cn import sans_path, serif_path  # noqa: PLC0415 - of the extra "cases"

    return with_drawable(text, Path(sans_path()), Path(serif_path()))
