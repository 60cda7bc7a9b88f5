"""Any event becomes canonical JSON (RFC 8785, by an independent library) and comes back from it."""

import json
from typing import get_args, get_origin, get_type_hints

import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from fairkey.business.basics import Event, Stream
from fairkey.business.files import HOME_OF_EVENT
from fairkey.engine.codec import event_from
from fairkey.proofs.leaf import leaf_of

# RFC 8785 takes integers that a double holds exactly; money and moments stay far below.
integers = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
texts = st.text(st.characters(exclude_categories=("Cs",)))


def events_of(kind: type[Event]) -> st.SearchStrategy[Event]:
    return st.builds(kind, **{name: values_of(kind.__annotations__[name]) for name in kind.__struct_fields__})


def values_of(annotation: object) -> st.SearchStrategy[object]:
    if annotation is int:
        return integers
    if annotation is str:
        return texts
    if get_origin(annotation) is tuple:
        return st.lists(values_of(get_args(annotation)[0]), max_size=4).map(tuple)
    assert isinstance(annotation, type)
    if issubclass(annotation, Struct):
        return st.builds(annotation, **{name: values_of(each) for name, each in get_type_hints(annotation).items()})
    return st.from_type(annotation)


any_event = st.sampled_from(sorted(HOME_OF_EVENT, key=lambda kind: kind.kind)).flatmap(events_of)


@given(
    event=any_event,
    at_ms=integers,
    version=st.integers(1, 2**31 - 1),
    prev=st.binary(max_size=32),
    key=st.binary(min_size=32, max_size=32),
)
def test_a_leaf_is_canonical_and_gives_its_event_back(
    event: Event, at_ms: int, version: int, prev: bytes, key: bytes
) -> None:
    leaf = leaf_of(Stream("shop", "order", "id"), version, event, at_ms, prev, key)
    assert leaf.body == rfc8785.dumps(json.loads(leaf.body))
    assert event_from(leaf.body, leaf.sealed) == (event, at_ms)
