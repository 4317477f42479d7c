"""Records that a person names: brought into the form in which they are known, and refused where they can be none of ours.

A kind that was taken out of a pipeline is no end of it any more; what is stored of it can still be told and erased.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ._stated import brief
from .errors import UsageError
from .explaining import explained
from .model import SIDES, RecordRef
from .report import Names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .definition import Definition
    from .model import Side
    from .roles import StateStore

_EXAMPLES: Final = {
    "why()": "why(ref)",
    "rule()": "rule(ref, ...)",
    "retry()": "retry([ref])",
    "forget()": "forget(ref), or forget(*refs)",
}
"""How each verb takes records: one, several, or a list."""


def named(definition: Definition, store: StateStore, verb: str, *refs: RecordRef) -> tuple[RecordRef, ...]:
    """Give records as they are known to the store.

    Raises `UsageError`, naming the ends, for a system or kind that is no end, was none, and of which nothing is stored;
    and for what is no record.
    """
    records(definition, verb, refs)
    asked = tuple(definition.named(ref) for ref in refs)
    for ref in asked:
        if not (definition.holds(ref) or _was_held(definition, store, ref)):
            raise _no_end(definition, verb, ref)
    return asked


def listed(refs: Sequence[RecordRef] | RecordRef) -> tuple[RecordRef, ...]:
    """Give the records of a list; one that stands alone is meant as a list of one."""
    return tuple(refs) if isinstance(refs, Iterable) else (refs,)


def records(definition: Definition, verb: str, refs: Iterable[object]) -> None:
    """Refuse what is no record; raises `UsageError`."""
    for ref in refs:
        if not isinstance(ref, RecordRef):
            raise UsageError(
                f"{definition.name}: {verb}: a record is named by a RecordRef(system, kind, id), and not by {brief(ref)}; "
                f"write {_EXAMPLES[verb]}"
            )


def _no_end(definition: Definition, verb: str, ref: RecordRef) -> UsageError:
    ends = ", ".join(f"{end.system} {kind}" for end in (definition.left, definition.right) for kind in end.kinds)
    return UsageError(f"{definition.name}: {verb}: {ref.system} {ref.kind} is no end of this pipeline; it has {ends}")


def _was_held(definition: Definition, store: StateStore, ref: RecordRef) -> bool:
    """Say whether a kind was of the pipeline once: its schema is kept, or something about this record."""
    sides: list[Side] = [side for side in SIDES if definition.end(side).system == ref.system]
    if any(store.directory.schema(definition.name, side, ref.kind) is not None for side in sides):
        return True
    names = Names(definition.left.system, definition.right.system)
    return explained(store, definition.name, names, ref).known
