"""Why, as a value: a code of a closed list and the facts that go with it.

Text is made at the edge, in English or Japanese, by `crmbridge.wording`.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from typing import TypeAlias

import attrs

Fact: TypeAlias = "str | int | dt.datetime"
"""One thing that a reason says beside its code."""


class Code(enum.StrEnum):
    """The closed list of reasons. A rule of a user's own is `RULE`, with its name among the facts."""

    # -- why a field or record was written, or not
    POLICY = "policy"
    ONE_SIDED = "one_sided"
    FILLED_BEATS_BLANK = "filled_beats_blank"
    EQUAL = "equal"
    LEFT_AS_IT_IS = "left_as_it_is"
    NOT_WRITABLE = "not_writable"
    FIRST_CONTACT = "first_contact"
    CHANGED = "changed"
    NEW = "new"
    REMOVED = "removed"
    REVIVED = "revived"
    UNCHANGED = "unchanged"
    NOTHING_TO_DO = "nothing_to_do"
    RECOVERED = "recovered"
    RECOVERED_CONFLICT = "recovered_conflict"
    UNDONE = "undone"
    CHANGED_SINCE = "changed_since"
    NOT_UNDOABLE = "not_undoable"
    NEVER_GOES_BACK = "never_goes_back"
    RESTORE_BY_HAND = "restore_by_hand"
    EDITED = "edited"
    NOT_KNOWN = "not_known"
    HISTORY_GONE = "history_gone"
    RULED = "ruled"
    FOLLOWED = "followed"
    NOT_FOLLOWED = "not_followed"

    # -- how a counterpart was found
    MATCHED = "matched"
    SEVERAL_MATCH = "several_match"
    TOO_MANY_MATCH = "too_many_match"
    ALREADY_LINKED = "already_linked"
    CHOSEN_GONE = "chosen_gone"
    CHOSEN_LINKED = "chosen_linked"
    CHOSEN_OTHERWISE = "chosen_otherwise"
    TWIN = "twin"

    # -- settings that say no
    GATE = "gate"
    RULE = "rule"
    NO_CASE = "no_case"
    CREATES_OFF = "creates_off"
    DETACHED = "detached"
    NOT_SHOWN = "not_shown"
    DUPLICATE_OF = "duplicate_of"
    FORGOTTEN = "forgotten"

    # -- waiting
    PACED = "paced"
    NOT_DUE = "not_due"
    READ_TOO_EARLY = "read_too_early"
    MOVED_ON = "moved_on"
    BUSY = "busy"
    INTENT_OPEN = "intent_open"
    NOT_FILLED = "not_filled"
    KIND_LEFT_OUT = "kind_left_out"
    PARENT_MISSING = "parent_missing"
    STALE_PLAN = "stale_plan"
    NOT_PLANNED = "not_planned"
    STATE_LOST = "state_lost"

    # -- a person must rule
    BOTH_CHANGED = "both_changed"
    GONE_AND_CHANGED = "gone_and_changed"

    # -- trouble
    TOO_LONG = "too_long"
    TOO_MANY_BYTES = "too_many_bytes"
    UNHELD_SIGN = "unheld_sign"
    TOO_MANY_DIGITS = "too_many_digits"
    OUT_OF_RANGE = "out_of_range"
    NOT_AN_OPTION = "not_an_option"
    NOT_AN_EMAIL = "not_an_email"
    NOT_A_NUMBER = "not_a_number"
    WRONG_TYPE = "wrong_type"
    REQUIRED = "required"
    SEVERAL_VALUES = "several_values"
    CODEC_FAILED = "codec_failed"
    UNREADABLE = "unreadable"
    REPEATED_ID = "repeated_id"
    RULE_FAILED = "rule_failed"
    POINTS_NOWHERE = "points_nowhere"
    EDIT_NOT_SENT = "edit_not_sent"
    REFUSED_BY_SYSTEM = "refused_by_system"
    IN_DOUBT = "in_doubt"
    NEVER_SETTLES = "never_settles"
    PARENT_FAILED = "parent_failed"

    # -- what was sent instead of a value that would be refused
    TRUNCATED = "truncated"
    CLEARED = "cleared"
    MAPPED = "mapped"
    LAST_OF_SEVERAL = "last_of_several"

    # -- guards
    TOO_MANY_CREATES = "too_many_creates"
    TOO_MANY_UPDATES = "too_many_updates"
    TOO_MANY_DELETES = "too_many_deletes"
    TOO_MANY_BLANKS = "too_many_blanks"
    EMPTIED = "emptied"

    # -- what a check finds
    UNKNOWN_FIELD = "unknown_field"
    READ_ONLY_TARGET = "read_only_target"
    NOTHING_FILLS = "nothing_fills"
    TYPES_DIFFER = "types_differ"
    NO_CONDITION = "no_condition"
    NO_MATCHING = "no_matching"
    WEAK_CLOCK = "weak_clock"
    CLOCK_UNKNOWN = "clock_unknown"
    CREATE_CLASS = "create_class"
    CHOICES_LACKING = "choices_lacking"
    LENGTHS_DIFFER = "lengths_differ"
    POLICY_NEEDS = "policy_needs"
    GATE_NEEDS = "gate_needs"
    GATE_UNTOLD = "gate_untold"
    VALUES_NOT_KEPT = "values_not_kept"
    NEVER_WRITTEN = "never_written"
    OWNER_UNUSED = "owner_unused"
    CREATE_ONLY_TARGET = "create_only_target"
    CANNOT_READ = "cannot_read"
    CANNOT_CREATE = "cannot_create"
    CANNOT_UPDATE = "cannot_update"
    CANNOT_REMOVE = "cannot_remove"
    CANNOT_REVIVE = "cannot_revive"
    DELETES_UNSEEN = "deletes_unseen"
    ABSENT_IS_KEPT = "absent_is_kept"
    TIMES_USED = "times_used"
    RING = "ring"

    # -- what became of a schema
    FIELD_GONE = "field_gone"
    TYPE_CHANGED = "type_changed"
    BECAME_READ_ONLY = "became_read_only"
    BECAME_REQUIRED = "became_required"
    BECAME_SHORTER = "became_shorter"
    CHOICE_LOST = "choice_lost"

    # -- what became of the pipeline itself
    RULES_CHANGED = "rules_changed"


def _no_facts() -> dict[str, Fact]:
    return {}


@attrs.frozen
class Reason:
    """Say why, as a value. Facts are names and numbers, never personal values."""

    code: Code
    facts: Mapping[str, Fact] = attrs.field(factory=_no_facts)

    def __str__(self) -> str:
        told = ", ".join(f"{name}={fact}" for name, fact in self.facts.items())
        return f"{self.code}({told})" if told else str(self.code)


def because(code: Code, /, **facts: Fact) -> Reason:
    """Make a reason in one line."""
    return Reason(code, facts)
