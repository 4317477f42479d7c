"""What is said in English."""

from __future__ import annotations

import datetime as dt
from typing import Final

from ..model import Disposition
from ..reasons import Code
from ._catalogue import Catalogue

_TEXTS: Final = {
    Code.POLICY: "The rule for {field} decided[ in favour of {system}][: {policy}][ ({by})].",
    Code.ONE_SIDED: "Only one system[, {system},] changed {field}, so its value crosses.",
    Code.FILLED_BEATS_BLANK: "A value in {field} beats a blank[, so the value of {system} stays].",
    Code.EQUAL: "Both systems hold the same value in {field}.",
    Code.LEFT_AS_IT_IS: "Each system keeps what it has in {field}[: {policy}].",
    Code.NOT_WRITABLE: "No value may be written to {field}[ in {system}].",
    Code.FIRST_CONTACT: "The two records meet for the first time[; {field} is filled from {system}].",
    Code.CHANGED: "The record changed[ in {system}].",
    Code.NEW: "The record is new[ in {system}] and has no counterpart yet[ ({tried})][; it falls into the case {case}].",
    Code.REMOVED: "The record was removed[ in {system}].",
    Code.REVIVED: "The record was removed[ in {system}] but edited in the other system, so it is made again.",
    Code.UNCHANGED: "Nothing changed since the last run.",
    Code.NOTHING_TO_DO: "There is nothing to do for this record.",
    Code.RECOVERED: "The answer to an earlier write[ to {system}] was lost; a look showed that it had been done.",
    Code.RECOVERED_CONFLICT: (
        "The answer to an earlier write[ to {system}] was lost, and {field} was edited before it could be looked up."
    ),
    Code.UNDONE: "This takes an earlier write[ of run {run}] back.",
    Code.CHANGED_SINCE: "It was changed since[ in {system}][: {field}], so it stays as it is.",
    Code.NEVER_GOES_BACK: "This value never goes back[ ({policy})]; it stays[ in {field} of {system}] as it is.",
    Code.NOT_UNDOABLE: "What was done[ in {system}] cannot be taken back[: {field}].",
    Code.RESTORE_BY_HAND: (
        "A record[, {record},] was removed[ in {system}], and no program can bring it back there as itself: restore it in "
        "that system, then undo the run again, and both records are kept in step as before."
    ),
    Code.EDITED: "A person[, {editor},] gave the value of {field} for this write.",
    Code.NOT_KNOWN: "Nothing is known of this record: it was not read yet, or there was nothing to decide about it.",
    Code.HISTORY_GONE: "Older history is not kept[: what was decided and written before {until} is gone].",
    Code.RULED: "A person decided this[: {choice}].",
    Code.NOT_FOLLOWED: "The reference[ {reference}] leads to no record at present, so {field} stays as it is.",
    Code.FOLLOWED: "The reference[ {reference}] leads to {record}[, found by {level}].",
    Code.MATCHED: "A counterpart was found[ in {system}] by {level}[; of {found} records it was chosen as {adopted_by}][ ({tried})][; it falls into the case {case}].",
    Code.SEVERAL_MATCH: "Several records[ ({found})] match[ in {system}] by {level}, and no rule chooses among them.",
    Code.TOO_MANY_MATCH: "Too many records to choose from answer {level}[ in {system}][: {found} were looked at, and there may be more].",
    Code.ALREADY_LINKED: "The counterpart[ {counterpart}][ in {system}] is already linked to {record}.",
    Code.CHOSEN_GONE: "A person chose {record}[ in {system}] as the counterpart, and that is gone or does not match any more.",
    Code.CHOSEN_LINKED: "A person chose {record}[ in {system}] as the counterpart, and that is linked to another record by now.",
    Code.CHOSEN_OTHERWISE: "A person chose another record[, {chosen},] as the counterpart of {record}[ in {system}], which matches.",
    Code.TWIN: "Another new record has the same keys[ ({level})][: {record}].",
    Code.GATE: "A condition keeps this record back[: {gate}][ ({field})].",
    Code.RULE: "A rule of your own decided this[: {rule}].",
    Code.NO_CASE: "No case admits the record.",
    Code.CREATES_OFF: "New records are not made[ in {system}]: the setting is off.",
    Code.DETACHED: "The record was removed[ in {system}]; its counterpart stays and is no longer written.",
    Code.NOT_SHOWN: "The record is not shown any more[ in {system}]; that is no deletion, and nothing is done until it is shown again.",
    Code.DUPLICATE_OF: "The record is a duplicate of {record}[, which is linked with {rival} already].",
    Code.FORGOTTEN: "The record was erased on request and is not taken up again.",
    Code.PACED: "It is too soon[: {pace}][; {until} is the earliest time][, and it may be later: {waiting} wait before it].",
    Code.NOT_DUE: "It is not time yet[; due {until}].",
    Code.READ_TOO_EARLY: "What was read[ from {system}] is older than our own last write; it is read again[ at {until}].",
    Code.MOVED_ON: "The record changed[ in {system}] while this was being decided; it is decided again.",
    Code.BUSY: "The record is locked[ in {system}] at the moment; it is tried again[ at {until}][ ({code})].",
    Code.INTENT_OPEN: "An earlier write[ to {system}] has no answer yet; its outcome is looked up first[, at {until}].",
    Code.NOT_FILLED: "Not all records[ of {system}] are known yet, so none is created there.",
    Code.KIND_LEFT_OUT: (
        "The record is, or is tied to, one of a kind[ of {system}] that the pipeline names no more[: {kind}]. It goes on once "
        "that kind is named again."
    ),
    Code.PARENT_MISSING: "The record refers to {parent}[ of {pipeline}], which is not there yet.",
    Code.STALE_PLAN: (
        "It would be decided about otherwise now than in the plan: the record, its counterpart or the rules of the "
        "pipeline have changed since."
    ),
    Code.NOT_PLANNED: "The plan that was run says nothing about the record; the next ordinary run decides about it.",
    Code.STATE_LOST: (
        "This pipeline met records that it made itself, and remembers none of them: until a person adopts its matches it "
        "fills blanks and makes nothing[ in {system}]."
    ),
    Code.BOTH_CHANGED: "Both systems changed {field}; a person must choose.",
    Code.GONE_AND_CHANGED: "The record was removed[ in {system}] and edited in the other system; a person must choose.",
    Code.TOO_LONG: "The value for {field}[ in {system}] is too long[: {length} characters, where {limit} fit].",
    Code.TOO_MANY_DIGITS: (
        "The number for {field}[ in {system}] has too many digits[ {shape}][: {length}, where {limit} fit]."
    ),
    Code.TOO_MANY_BYTES: "The value for {field}[ in {system}] is too long[: {length} bytes, where {limit} fit].",
    Code.UNHELD_SIGN: (
        "The value for {field}[ in {system}] has a sign that cannot be stored[: character {position} is not in {encoding}]."
    ),
    Code.OUT_OF_RANGE: "The value for {field}[ in {system}] is out of range[: not below {least}][: not above {most}].",
    Code.TRUNCATED: "The value was cut to fit {field}[ in {system}][: {length}, where {limit} fit].",
    Code.CLEARED: "{field}[ in {system}] stays empty, since the value would be refused[: {refused}].",
    Code.MAPPED: "The value for {field}[ in {system}] was replaced as the settings say[: {refused}].",
    Code.LAST_OF_SEVERAL: "{field}[ in {system}] and the other field do not hold equally many values, and the last one counts.",
    Code.NOT_AN_OPTION: "The value for {field} is not among the choices[ that {system} offers].",
    Code.NOT_AN_EMAIL: "The value for {field} is not an e-mail address[ that {system} takes][: {shape}].",
    Code.NOT_A_NUMBER: "The value for {field}[ in {system}] is not a number.",
    Code.WRONG_TYPE: "The value for {field}[ in {system}] has the wrong type[: {shape} instead of {expected}].",
    Code.REQUIRED: "A value is required for {field}[ in {system}].",
    Code.SEVERAL_VALUES: "Only one value fits into {field}[ in {system}][, and there are {length}].",
    Code.POINTS_NOWHERE: (
        "The value for {field}[ in {system}] points to a record that is not there[ ({kind})]: correct the value, make the "
        "record, or say in the pair that the field stays empty then."
    ),
    Code.RULE_FAILED: (
        "A rule of your own[, {rule},] raised an error[ ({error})][ for {field}], so nothing was decided about the record."
    ),
    Code.CODEC_FAILED: "The value for {field}[ in {system}] could not be converted[ for {target}][ ({codec})].",
    Code.UNREADABLE: "What {field} holds[ in {system}] is no value that can be taken over[ ({found})].",
    Code.REPEATED_ID: "Several records[ in {system}] have the same id[ in {field}], so none of them can be told from the others.",
    Code.EDIT_NOT_SENT: (
        "No rule for this record writes {field}[ in {system}][; it is in the case {case}], so nothing was sent with the value "
        "that a person gave for it."
    ),
    Code.REFUSED_BY_SYSTEM: "The record was refused[ by {system}][: {code}][ ({field})].",
    Code.IN_DOUBT: "A write[ to {system}] got no answer, and it is not known whether it was done[ ({code})].",
    Code.NEVER_SETTLES: (
        "The value of {field} goes back and forth between the two systems[, {one} and {two}][ ({count} times)]."
    ),
    Code.PARENT_FAILED: "The record refers to {parent}[ of {pipeline}], which is in trouble itself.",
    Code.TOO_MANY_CREATES: "Too many records would be created[ in {system}][: {count}, where {limit} are allowed].",
    Code.TOO_MANY_UPDATES: "Too many records would be changed[ in {system}][: {count}, where {limit} are allowed].",
    Code.TOO_MANY_DELETES: "Too many records would be removed[ in {system}][: {count}, where {limit} are allowed].",
    Code.TOO_MANY_BLANKS: "Too many filled fields would be emptied[ in {system}][: {count}, where {limit} are allowed][, counting {emptied} that were emptied before the run was stopped].",
    Code.EMPTIED: "Every linked record is gone[ from {system}][: {count} of them].",
    Code.UNKNOWN_FIELD: (
        "There is no such field[ in {system}][: {field}][; the nearest name is {nearest}].[ Name another one in {use}.]"
    ),
    Code.READ_ONLY_TARGET: "The pair writes to {field}[ in {system}], which is read-only.",
    Code.NOTHING_FILLS: "A value is required for {field}[ in {system}], and nothing fills it.",
    Code.TYPES_DIFFER: "The two fields hold different types[: {field} {type}, {other_field} {other_type}].",
    Code.NO_CONDITION: "The condition is switched on, but nothing is set in it[: {gate}].",
    Code.NO_MATCHING: (
        "Nothing says how a record finds its counterpart[ in {system}], so what is there already is made a second time. Name "
        "keys to match by, unless that is meant."
    ),
    Code.WEAK_CLOCK: (
        "A change has a time for the whole record only[ in {system}], so an edit of another field may decide which "
        "value of {field} counts as newer."
    ),
    Code.CLOCK_UNKNOWN: (
        "Nothing tells what the clock[ of {system}] shows: where it is wrong, the earlier edit of {field} may count as "
        "newer."
    ),
    Code.CREATE_CLASS: "When the answer to a create[ in {system}] is lost, {create_class}.",
    Code.CHOICES_LACKING: (
        "Not every choice of the other field is offered for {field}[ in {system}][: {count} are lacking, such as {choices}]."
    ),
    Code.LENGTHS_DIFFER: (
        "{field}[ in {system}] holds less than the other field may send[: {limit} {unit}][, where {length} may come]"
        "[; what does not fit is {answer}]."
    ),
    Code.VALUES_NOT_KEPT: "This needs values that were there before, and the store keeps fingerprints in their place.",
    Code.POLICY_NEEDS: (
        "The rule for {field} needs a field of several values, and neither of the two fields is one[: {policy}]."
    ),
    Code.GATE_NEEDS: (
        "A condition looks at {field}[ in {system}] and cannot judge every value that it may hold"
        "[: it needs {type}, and the field holds {other_type}]."
    ),
    Code.GATE_UNTOLD: (
        "A condition looks at records[ of {system}] of whose changes this pipeline is not told[: {gate}]; what it keeps "
        "back crosses with the next change[ in {other}], or after look_again."
    ),
    Code.NEVER_WRITTEN: "{field}[ in {system}] gets a value in new records only, and no record is created there.",
    Code.OWNER_UNUSED: (
        "The pair names an owner for {field}[ in {system}], which counts only where several records share one: say "
        "many_to_one, or take the owner out of the pair."
    ),
    Code.CREATE_ONLY_TARGET: (
        "{field}[ in {system}] can be written when a record is created and never after, so later changes stay behind."
    ),
    Code.CANNOT_READ: "Records[ of {system}] cannot be read by id, so nothing can be kept in step with them.",
    Code.CANNOT_CREATE: (
        "No record[ of the kind {kind}] can be created[ in {system}]; switch creation off, or name another kind for it."
    ),
    Code.CANNOT_UPDATE: "Records[ of the kind {kind}][ in {system}] cannot be changed once they are there.",
    Code.CANNOT_REMOVE: "Records[ of the kind {kind}][ in {system}] cannot be removed as the settings ask[: {verb}].",
    Code.CANNOT_REVIVE: (
        "No records are made[ in {system}], so what is removed there is not made again when the other record was edited: a "
        "person must choose."
    ),
    Code.DELETES_UNSEEN: "Nothing tells of removals[ in {system}], so one is met only where its record is read again.",
    Code.ABSENT_IS_KEPT: (
        "A record that is not shown any more[ in {system}] is no deletion, so none is carried over; where the source always "
        'shows all there is, say absent="gone".'
    ),
    Code.TIMES_USED: (
        "A write[ to {system}] whose answer is lost is waited for[ {settle} seconds], a search may lag[ {index} seconds] "
        "and a change may show up late[ by {overlap} seconds]."
    ),
    Code.RING: (
        "The pipelines[ {pipelines}] lead from this field back to it: where it is edited in two of the systems between two "
        "runs, the values may be carried round for ever. Take this pair out of one of them."
    ),
    Code.FIELD_GONE: (
        "{field} is gone[ from {system}][; the nearest name is {nearest}]. Name another field in {use}, or take {use} out. "
        "If a paired field was renamed, say what it was called in formerly=, else what was agreed of it is lost and an edit "
        "may be overwritten."
    ),
    Code.TYPE_CHANGED: (
        "{field}[ in {system}] now holds another type[: {type} instead of {other_type}]. Name another field in {use}, or "
        "say there how this one is read now: in a pair by a codec."
    ),
    Code.BECAME_READ_ONLY: (
        "{field}[ in {system}] can no longer be written. Let its system be the master in the pair, or ask for the permission to "
        "write it."
    ),
    Code.BECAME_REQUIRED: (
        "{field}[ in {system}] is now required. Fill it by a pair or a constant, and see that no blank is sent."
    ),
    Code.BECAME_SHORTER: (
        "{field}[ in {system}] now holds less[: {limit}][ instead of {length}]. Say in the pair what is sent where a value "
        "does not fit."
    ),
    Code.CHOICE_LOST: (
        "{field}[ in {system}] no longer offers every choice[: {count} are gone, such as {choices}]. Say in the pair what is "
        "sent instead."
    ),
    Code.RULES_CHANGED: (
        "The rules of this pipeline have changed since its last run, or a person asked for it: every linked pair is looked at "
        "again[ ({count})][, and {systems} read from the beginning]."
    ),
}

_TYPES: Final = {
    "text": "a text",
    "email": "an e-mail address",
    "flag": "yes or no",
    "number": "a number",
    "date": "a date",
    "instant": "a date and time",
    "choice": "one of the choices",
    "choices": "several of the choices",
    "reference": "a reference",
    "references": "several references",
}

ENGLISH: Final = Catalogue(
    texts=_TEXTS,
    neutral={
        "field": "this field",
        "level": "its keys",
        "record": "another record",
        "parent": "another record",
        "create_class": "what can be done depends on the system",
        "use": "the pair",
    },
    terms={
        "policy": {
            "left_wins": "where both changed, one system goes first",
            "right_wins": "where both changed, one system goes first",
            "left_always": "one system is the master",
            "right_always": "one system is the master",
            "newest_wins": "the newer change lives on",
            "filled_beats_blank": "a value beats a blank",
            "never_clear": "nothing is emptied",
            "only_if_empty": "only blanks are filled",
            "only_on_create": "only new records get a value",
            "once_per_link": "a value crosses once",
            "write_once": "a value is written once",
            "union": "the values of both are kept",
            "last_value": "the last value is taken",
            "monotone": "a value moves in one direction only",
            "ask_a_person": "a person decides",
            "not_the_owner": "others share the record, and this one does not own the field",
        },
        "gate": {
            "filled": "a value is needed",
            "equals": "another value is needed",
            "has_any": "one of certain values is needed",
            "at_least": "the threshold is not reached",
            "consented": "there is no consent",
            "consent_unknown": "the value does not tell whether there is consent",
            "unless": "an exception applies",
        },
        "pace": {
            "cooldown": "the same was done a short while ago",
            "spacing": "another one was done a short while ago",
            "reservations": "as many as are allowed have been done",
        },
        "use": {
            "key": "the key of the matching",
            "linking": "the gate before linking",
            "creating": "the gate before creating",
            "writing": "the gate before writing",
            "case": "the case",
            "pacing": "the pacing",
            "look_up": "the look-up",
        },
        "unit": {
            "characters": "characters",
            "bytes": "bytes",
            "before_point": "digits before the decimal point",
            "after_point": "digits after the decimal point",
        },
        "answer": {
            "reject": "refused",
            "truncate": "cut",
            "clear": "not sent",
            "map": "replaced where the table knows it",
            "last_value": "refused",
        },
        "verb": {"archive": "archive", "delete": "delete"},
        "by": {"newer": "its change is the newer one", "otherwise": "the times do not decide"},
        "shape": {
            **_TYPES,
            "no_zone": "a date and time without a time zone",
            "float": "a float (connectors give int or Decimal)",
            "list": "a list (connectors give a tuple of texts)",
            "mapping": "a mapping (a field of it has a name of its own)",
            "bytes": "bytes (connectors give a text)",
            "no_cell": "a value of a sort that no field holds",
            "broken_text": "a text with damaged characters",
            "other_kind": "a reference to another kind",
            "before_point": "before the decimal point",
            "after_point": "after the decimal point",
            "no_at": "it has no @",
            "several_at": "it has more than one @",
            "no_local_part": "nothing stands before the @",
            "no_domain": "nothing stands after the @",
            "white_space": "it has white space inside",
            "no_dot_in_domain": "the domain has no dot",
            "dot_at_start": "it starts with a dot",
            "dot_before_at": "a dot stands directly before the @",
            "dot_after_at": "a dot stands directly after the @",
        },
        "refused": {
            "too_long": "it is too long",
            "too_many_bytes": "it is too long",
            "unheld_sign": "it has a sign that cannot be stored",
            "too_many_digits": "it has too many digits",
            "out_of_range": "it is out of range",
            "not_an_option": "it is not among the choices",
            "not_an_email": "it is not an e-mail address",
            "not_a_number": "it is not a number",
            "wrong_type": "it has the wrong type",
            "several_values": "only one value fits",
        },
        "expected": _TYPES,
        "type": _TYPES,
        "other_type": _TYPES,
        "create_class": {
            "A": "a key that the system enforces tells whether it was done",
            "B": "a look by a field of our own tells whether it was done",
            "C": "a search may not tell whether it was done, and a person decides",
        },
    },
    quoted={},
    instant="{at:%Y-%m-%d %H:%M} UTC",
    zone=dt.UTC,
    joint=", then ",
    dispositions={
        Disposition.APPLIED: "applied",
        Disposition.UNCHANGED: "unchanged",
        Disposition.SKIPPED: "skipped",
        Disposition.HELD: "held",
        Disposition.DISPUTED: "disputed",
        Disposition.QUARANTINED: "quarantined",
    },
    verbs={"create": "create", "update": "update", "archive": "archive", "delete": "delete"},
)
