"""Any event becomes canonical JSON (RFC 8785, by an independent library) and comes back from it."""

import json

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

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
    if annotation == tuple[str, ...]:
        return st.lists(texts, max_size=4).map(tuple)
    if annotation == tuple[int, ...]:
        return st.lists(integers, max_size=4).map(tuple)
    assert isinstance(annotation, type)
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
