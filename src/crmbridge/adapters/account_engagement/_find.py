"""What a question asks of the vendor's search: one set of filters for each alternative that can be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...errors import CapabilityError
from ...model import Capabilities, is_blank
from ...protocols import ID_FIELD, KeyValue, Question
from ._wire import is_id

_LONGEST = 255
"""Vendor: an address has 255 characters at most, and a Salesforce id 18; what is longer belongs to nobody."""


def filters_of(system: str, question: Question, promised: Capabilities) -> Iterator[Mapping[str, str]]:
    """Give the filters of each alternative; one with a blank or impossible key finds nothing and is left out.

    Raises CapabilityError for a key that the vendor's search does not answer.
    """
    for alternative in question.any_of:
        for key in alternative:
            if key.field not in promised.finds_by or key.by != "exact":
                raise CapabilityError(f"{system}: {question.kind} is not found by {key.field} ({key.by})")
        filters = _filters(alternative)
        if filters:
            yield filters


def _filters(alternative: Sequence[KeyValue]) -> Mapping[str, str] | None:
    filters: dict[str, str] = {}
    for key in alternative:
        name = "id" if key.field == ID_FIELD else key.field
        possible = is_id(key.value) if name == "id" else not is_blank(key.value) and len(key.value) <= _LONGEST
        if not possible or filters.setdefault(name, key.value) != key.value:
            return None
    return filters
