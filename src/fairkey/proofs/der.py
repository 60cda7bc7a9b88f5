"""Just enough DER (X.690) to find one's way in a foreign file: elements by tag and place, nothing decoded.

Definite lengths in their shortest form, tags of one byte; what else there may be is refused. Nothing recurses, so depth
and size are the caller's to bound.
"""

from typing import Final, NamedTuple

INTEGER: Final = 0x02
OBJECT_IDENTIFIER: Final = 0x06
UTF8_STRING: Final = 0x0C
SEQUENCE: Final = 0x30
SET: Final = 0x31
CONTEXT_0: Final = 0xA0

_LONG_FORM: Final = 0x80
_MANY_BYTE_TAG: Final = 0x1F
_LENGTH_BYTES_MAX: Final = 4


class NotDer(Exception):
    """The bytes are not DER, or not the element that was asked for. The argument is a sentence."""


class Element(NamedTuple):
    """One element of `data`: it begins at `start`, its content at `body`, and it ends before `end`."""

    tag: int
    start: int
    body: int
    end: int

    def content(self, data: bytes) -> bytes:
        """What is in it."""
        return data[self.body : self.end]

    def whole(self, data: bytes) -> bytes:
        """It, with its tag and length."""
        return data[self.start : self.end]


def element_at(data: bytes, at: int, end: int, tag: int | None = None) -> Element:
    """The element that begins at `at` and ends at or before `end`. Raises `NotDer`; also when it has another `tag`."""
    if at + 2 > end:
        raise NotDer("the bytes end in the middle of an element")
    found, length, body = data[at], data[at + 1], at + 2
    if found & _MANY_BYTE_TAG == _MANY_BYTE_TAG:
        raise NotDer("an element has a tag of several bytes")
    if length & _LONG_FORM:
        count = length & ~_LONG_FORM
        if not 1 <= count <= _LENGTH_BYTES_MAX or body + count > end:
            raise NotDer("an element's length is not definite")
        length, body = int.from_bytes(data[body : body + count]), body + count
        if length < _LONG_FORM or length >> (8 * (count - 1)) == 0:
            raise NotDer("an element's length is not written as short as it can be")
    if body + length > end:
        raise NotDer("the bytes end in the middle of an element")
    if tag is not None and found != tag:
        raise NotDer(f"there is an element 0x{found:02x} where 0x{tag:02x} must be")
    return Element(found, at, body, body + length)


def the_element(data: bytes, tag: int) -> Element:
    """The one element that `data` is. Raises `NotDer`."""
    element = element_at(data, 0, len(data), tag)
    if element.end != len(data):
        raise NotDer("there are bytes after the end")
    return element


def inside(data: bytes, element: Element) -> list[Element]:
    """The elements that `element` is made of. Raises `NotDer`."""
    found, at = [], element.body
    while at < element.end:
        found.append(element_at(data, at, element.end))
        at = found[-1].end
    return found


def encoded(tag: int, content: bytes) -> bytes:
    """An element of its own."""
    if len(content) < _LONG_FORM:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes((tag, _LONG_FORM | len(length))) + length + content
