"""crmbridge keeps marketing tools and CRM/SFA systems in step, and can prove it.

A pipeline is a value: two ends, the rules between them, and a store that remembers. `pipeline.plan()` says what a run
would do and why, `pipeline.run()` does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._lazy import lazily

if TYPE_CHECKING:
    from .bundles import AsyncBundle as AsyncBundle
    from .bundles import Bundle as Bundle
    from .bundles import bundle as bundle
    from .cases import case as case
    from .given import coalesce as coalesce
    from .given import computed as computed
    from .given import field as field
    from .given import joined as joined
    from .given import template as template
    from .match import key as key
    from .match import level as level
    from .model import Disposition as Disposition
    from .model import RecordRef as RecordRef
    from .pipeline import AsyncPipeline as AsyncPipeline
    from .pipeline import Pipeline as Pipeline
    from .pipeline import at as at
    from .pipeline import events as events
    from .pipeline import one_way as one_way
    from .pipeline import pair as pair
    from .pipeline import per_kind as per_kind
    from .pipeline import put as put
    from .pipeline import read_only as read_only
    from .pipeline import two_way as two_way
    from .protocols import Codec as Codec
    from .protocols import Connector as Connector
    from .protocols import FieldPolicy as FieldPolicy
    from .protocols import Gate as Gate
    from .protocols import Matcher as Matcher
    from .protocols import Sink as Sink
    from .protocols import Source as Source
    from .references import ensured as ensured
    from .references import linked as linked
    from .references import look_up as look_up
    from .report import Plan as Plan
    from .report import Report as Report
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "bundles": "AsyncBundle Bundle bundle",
            "cases": "case",
            "given": "coalesce computed field joined template",
            "match": "key level",
            "model": "Disposition RecordRef",
            "pipeline": "AsyncPipeline Pipeline at events one_way pair per_kind put read_only two_way",
            "protocols": "Codec Connector FieldPolicy Gate Matcher Sink Source",
            "references": "ensured linked look_up",
            "report": "Plan Report",
        },
    )

__all__ = [
    "AsyncBundle",
    "AsyncPipeline",
    "Bundle",
    "Codec",
    "Connector",
    "Disposition",
    "FieldPolicy",
    "Gate",
    "Matcher",
    "Pipeline",
    "Plan",
    "RecordRef",
    "Report",
    "Sink",
    "Source",
    "at",
    "bundle",
    "case",
    "coalesce",
    "computed",
    "ensured",
    "events",
    "field",
    "joined",
    "key",
    "level",
    "linked",
    "look_up",
    "one_way",
    "pair",
    "per_kind",
    "put",
    "read_only",
    "template",
    "two_way",
]
