"""Connectors as the engine asks them: a verb that is no flow, or returns what its contract does not say, is named.

Without that, a method that forgot to yield ends a run with words of Python about generators, and no connector in them.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from .errors import NoFlow
from .model import Page, Schema

if TYPE_CHECKING:
    from .flow import Flow
    from .model import Action, Capabilities, Outcome, Query, RecordRef, Rows
    from .protocols import Question, Sink, Source

T = TypeVar("T")


@attrs.frozen
class Flowing:
    """A connector each of whose verbs is looked at once a call; raises `NoFlow` with system and verb."""

    connector: Source | Sink

    @property
    def system(self) -> str:
        """Name the account."""
        return self.connector.system

    def capabilities(self, kind: str) -> Capabilities:
        """Tell what the connector promises for a kind."""
        return self.connector.capabilities(kind)

    def schema(self, kind: str) -> Flow[Schema]:
        """Read the fields of a kind."""
        return self._seen("schema", self.connector.schema(kind), Schema)

    def read(self, query: Query) -> Flow[Page]:
        """Read one page of changes."""
        return self._seen("read", cast("Source", self.connector).read(query), Page)

    def fetch(self, refs: Sequence[RecordRef], fields: Sequence[str]) -> Flow[Page]:
        """Read records of one kind by id."""
        return self._seen("fetch", cast("Source", self.connector).fetch(refs, fields), Page)

    def find(self, questions: Sequence[Question], fields: Sequence[str]) -> Flow[Sequence[Rows]]:
        """Search, one answer per question."""
        return self._seen("find", cast("Sink", self.connector).find(questions, fields), Sequence)

    def apply(self, batch: Sequence[Action]) -> Flow[Sequence[Outcome]]:
        """Write a batch of one kind and one verb."""
        return self._seen("apply", cast("Sink", self.connector).apply(batch), Sequence)

    def _seen(self, verb: str, flow: Flow[T], promised: type[Any]) -> Flow[T]:
        where = f"{self.system}.{verb}"
        if not isinstance(cast("object", flow), Generator):
            raise NoFlow(
                f"{where} gives a {type(flow).__name__} at once and is no flow: it yields what it asks for, or "
                "`yield from ()` where it asks for nothing, and returns the rest"
            )
        try:
            answer = yield from flow
        except NoFlow as error:
            raise NoFlow(f"{where}: {error}") from error
        if not isinstance(answer, promised):
            raise NoFlow(f"{where} returns a {type(answer).__name__}, and no {promised.__name__}")
        return answer
