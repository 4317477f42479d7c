"""The values that everything is said in: refs, rows, schemas, links, actions, decisions, deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .actions import (
        Action,
        Applied,
        Archive,
        Create,
        Delete,
        Outcome,
        Postponed,
        Rejected,
        Stale,
        Uncertain,
        Update,
        target_kind,
        verb,
    )
    from .decisions import Decision, Disposition, FieldDecision, Totals
    from .deliveries import Arrived, Delivery, Signal
    from .links import Agreed, Link, Standing, Unsettled
    from .refs import LEFT, MISSING, RIGHT, SIDES, Cell, Missing, RecordRef, Side, Values, is_blank, other
    from .rows import Deleted, Departure, Merged, Moved, Page, Query, Record, Rows
    from .schema import Absence, Capabilities, CreateClass, FieldSpec, FieldType, Normalisation, Schema
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "actions": "Action Applied Archive Create Delete Outcome Postponed Rejected "
            "Stale Uncertain Update target_kind verb",
            "decisions": "Decision Disposition FieldDecision Totals",
            "deliveries": "Arrived Delivery Signal",
            "links": "Agreed Link Standing Unsettled",
            "refs": "LEFT MISSING RIGHT SIDES Cell Missing RecordRef Side Values is_blank other",
            "rows": "Deleted Departure Merged Moved Page Query Record Rows",
            "schema": "Absence Capabilities CreateClass FieldSpec FieldType Normalisation Schema",
        },
    )

__all__ = [
    "LEFT",
    "MISSING",
    "RIGHT",
    "SIDES",
    "Absence",
    "Action",
    "Agreed",
    "Applied",
    "Archive",
    "Arrived",
    "Capabilities",
    "Cell",
    "Create",
    "CreateClass",
    "Decision",
    "Delete",
    "Deleted",
    "Delivery",
    "Departure",
    "Disposition",
    "FieldDecision",
    "FieldSpec",
    "FieldType",
    "Link",
    "Merged",
    "Missing",
    "Moved",
    "Normalisation",
    "Outcome",
    "Page",
    "Postponed",
    "Query",
    "Record",
    "RecordRef",
    "Rejected",
    "Rows",
    "Schema",
    "Side",
    "Signal",
    "Stale",
    "Standing",
    "Totals",
    "Uncertain",
    "Unsettled",
    "Update",
    "Values",
    "is_blank",
    "other",
    "target_kind",
    "verb",
]
