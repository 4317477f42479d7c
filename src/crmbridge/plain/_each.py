"""A function as a sink."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import _stated
from ..errors import Refused, UsageError
from ..flow import Flow, call, done
from ..kit import safe_code, settle
from ..model import (
    Action,
    Applied,
    Capabilities,
    Create,
    CreateClass,
    FieldSpec,
    Outcome,
    RecordRef,
    Rejected,
    Rows,
    Schema,
    Values,
)
from ..protocols import Question, Sink
from ..reasons import Code, because


def each(
    function: Callable[[Values], object], *, fields: Sequence[str], kind: str = "row", system: str = "function"
) -> Sink:
    """Hand each new record to a function, once; nothing can be read back, changed or found there.

    *fields* are the values that the function takes. It may return the id of what it made, as text. It raises ValueError
    for values that it will never take, `Throttled` or `Unreachable` where it may be asked again or where nobody knows
    whether it was done; whatever else it raises ends the run, and this record is in doubt.
    """
    return _Each(function, _stated.texts("each", "fields", fields), kind, system)


class _Each:
    """A sink that is a function."""

    def __init__(self, function: Callable[[Values], object], fields: tuple[str, ...], kind: str, system: str) -> None:
        self._function = function
        self._fields = fields
        self._kind = kind
        self._system = system

    @property
    def system(self) -> str:
        return self._system

    def capabilities(self, kind: str) -> Capabilities:
        self._own(kind)
        # Nothing can be looked up: whether a lost answer meant a record, nobody can tell.
        return Capabilities(appends_only=True, creates=CreateClass.C, batch=1)

    def schema(self, kind: str) -> Flow[Schema]:
        self._own(kind)
        return done(Schema(kind, {name: FieldSpec(name) for name in self._fields}))

    def find(self, questions: Sequence[Question], fields: Sequence[str]) -> Flow[Sequence[Rows]]:
        return done([Rows.none(self._system, question.kind, fields) for question in questions])

    def apply(self, batch: Sequence[Action]) -> Flow[Sequence[Outcome]]:
        outcomes: list[Outcome] = []
        for action in batch:
            if not isinstance(action, Create):
                raise UsageError(f"{self._system} takes new records, and can change none")
            self._own(action.kind)
            outcomes.extend((yield from settle([action], call(self._handed, action))))
        return outcomes

    def _handed(self, action: Create) -> Sequence[Outcome]:
        for name in action.values:
            if name not in self._fields:
                return [Rejected(action, because(Code.UNKNOWN_FIELD, system=self._system, field=name))]
        try:
            told = self._function(action.values)
        except Refused as error:
            return [Rejected(action, because(Code.REFUSED_BY_SYSTEM, system=self._system, code=error.code))]
        except UsageError:
            raise
        except ValueError as error:
            # What it says may repeat a value; what it is called does not.
            code = safe_code(type(error).__name__)
            return [Rejected(action, because(Code.REFUSED_BY_SYSTEM, system=self._system, code=code))]
        id = told if isinstance(told, str) and told else action.key
        return [Applied(action, RecordRef(self._system, self._kind, id))]

    def _own(self, kind: str) -> None:
        if kind != self._kind:
            raise UsageError(f"{self._system} takes records of the kind {self._kind!r}, not {kind!r}")
