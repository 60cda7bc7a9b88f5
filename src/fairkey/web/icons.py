"""The small icons of the pages, written into the page as inline SVG.

They are drawn in ``static/icons.svg`` (24 × 24, strokes in the text's colour). Inline, because a saved or printed page
keeps them and a page full of badges needs no further request.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from markupsafe import Markup

from fairkey.web.i18n import WEB

_SYMBOL: Final = re.compile(r'<symbol id="(?P<name>[a-z-]+)">(?P<shapes>.*?)</symbol>', re.DOTALL)


@cache
def shapes() -> Mapping[str, str]:
    """Icon name → the SVG shapes it is made of."""
    sprite = (WEB / "static" / "icons.svg").read_text(encoding="utf-8")
    return {found["name"]: " ".join(found["shapes"].split()) for found in _SYMBOL.finditer(sprite)}


def icon(name: str, label: str = "", extra_class: str = "") -> Markup:
    """An icon as inline SVG; without ``label`` it is decoration, hidden from screen readers. Unknown name: KeyError."""
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon {}" viewBox="0 0 24 24" {} focusable="false">{}</svg>').format(
        extra_class,
        spoken,
        Markup(shapes()[name]),  # noqa: S704 - our own file, no foreign text in it
    )
