"""More of the gallery: connectors that lose or overwrite what they were given, and of which no single call looks wrong."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs

from crmbridge.model import Applied, Create, Delete, Deleted, Rejected, Stale, Update
from crmbridge.reasons import because
from crmbridge.testing import FakeConnector

NINE_HOURS = dt.timedelta(hours=9)


def fetches(change):
    """Fetch as a sound connector does, and then change the page."""

    class Wrong(FakeConnector):
        def _fetch(self, refs, fields):
            return change(self, refs, super()._fetch(refs, fields))

    return Wrong


def stores(type_, change):
    """Store values of a type otherwise than they were written."""

    class Wrong(FakeConnector):
        def __init__(self, *args, **how):
            super().__init__(*args, **how, stores=lambda kind, field, value: self._kept(kind, field, value))

        def _kept(self, kind, field, value):
            spec = self._schemas[kind].fields[field]
            return change(value) if spec.type == type_ and value is not None else value

    return Wrong


def answers(change):
    """Write as a sound connector does, and then change what the answer says."""

    class Wrong(FakeConnector):
        def _applied(self, action, ref):
            return change(action, super()._applied(action, ref))

    return Wrong


def cells(rows, change):
    return attrs.evolve(
        rows,
        cells=tuple(
            tuple(change(name, value) for name, value in zip(rows.fields, row, strict=True)) for row in rows.cells
        ),
    )


def bare(instant):
    return instant and instant.replace(tzinfo=None)


# -- fetching --------------------------------------------------------------------------------


def without_departures(self, refs, page):
    return attrs.evolve(page, departures=())


def departures_as_deletions(self, refs, page):
    return attrs.evolve(page, departures=tuple(Deleted(gone.ref) for gone in page.departures))


class FollowsAMerge(FakeConnector):
    """Gives the row of the winner under the id of the loser, as some read by an old id does."""

    def _fetch(self, refs, fields):
        page = super()._fetch(refs, fields)
        rows = page.rows
        for gone in page.departures:
            there = self._as_rows(gone.into.kind, tuple(fields), [gone.into.id])
            grown = {name: (*getattr(rows, name), *getattr(there, name)) for name in ("cells", "versions", "stamps", "authors")}  # fmt: skip
            rows = attrs.evolve(rows, ids=(*rows.ids, gone.ref.id), **grown)
        return attrs.evolve(page, rows=rows, departures=())


def naive_stamps(self, refs, page):
    return attrs.evolve(page, rows=attrs.evolve(page.rows, stamps=tuple(map(bare, page.rows.stamps))))


def short_columns(self, refs, page):
    return attrs.evolve(page, rows=attrs.evolve(page.rows, stamps=page.rows.stamps[:1]))


def floats(self, refs, page):
    return attrs.evolve(page, rows=cells(page.rows, lambda name, v: float(v) if name == "Staff" and v else v))


def naive_instants(self, refs, page):
    return attrs.evolve(page, rows=cells(page.rows, lambda _, v: bare(v) if isinstance(v, dt.datetime) else v))


class KeepsTheLastOnes(FakeConnector):
    """Fetches the last hundred refs, and is silent about the others."""

    def _fetch(self, refs, fields):
        return super()._fetch(refs[-100:], fields)


class ReadsAnyAuthor(FakeConnector):
    def _read(self, query):
        page = super()._read(query)
        return attrs.evolve(page, rows=attrs.evolve(page.rows, authors=("nobody",) * len(page.rows)))


# -- time ------------------------------------------------------------------------------------


def clock(change):
    return fetches(lambda self, refs, page: attrs.evolve(page, clock=change(page.clock)))


class StampsItsCreation(FakeConnector):
    """Tells when a record was made where it should tell when it changed."""

    def _change(self, ref, values, by, *, key=""):
        stamp = self._rows[ref.kind][ref.id].stamp
        super()._change(ref, values, by, key=key)
        self._rows[ref.kind][ref.id].stamp = stamp


class StampsInLocalTime(FakeConnector):
    def _as_rows(self, kind, fields, ids):
        rows = super()._as_rows(kind, fields, ids)
        return attrs.evolve(rows, stamps=tuple(stamp + NINE_HOURS for stamp in rows.stamps))


# -- reading ---------------------------------------------------------------------------------


class TakesItsPageForTheEnd(FakeConnector):
    """The product gives a hundred records at once, whatever it is asked for; fewer than asked for look like the end."""

    def _read(self, query):
        page = super()._read(attrs.evolve(query, limit=min(query.limit, 100)))
        more = len(page.rows) + len(page.departures) >= query.limit
        return attrs.evolve(page, more=more, complete=page.complete or not more)


class TellsOneDeparture(FakeConnector):
    def _read(self, query):
        page = super()._read(query)
        return attrs.evolve(page, departures=page.departures[:1])


# -- searching -------------------------------------------------------------------------------


class FindsFromACache(FakeConnector):
    def _find(self, question, fields):
        rows = super()._find(question, fields)
        held = self.__dict__.setdefault("_cache", {})
        kept = tuple(held.setdefault((id, fields), row) for id, row in zip(rows.ids, rows.cells, strict=True))
        return attrs.evolve(rows, cells=kept)


class FindsInAnyCase(FakeConnector):
    def _holds(self, id, row, key):
        if key.field in row.values and key.value:
            return str(row.values[key.field]).casefold() == key.value.casefold()
        return super()._holds(id, row, key)


class FindsFloats(FakeConnector):
    def _find(self, question, fields):
        return cells(super()._find(question, fields), lambda name, v: float(v) if name == "Staff" and v else v)


# -- writing ---------------------------------------------------------------------------------


class AppliesWhatWasRefused(FakeConnector):
    """Takes a change that the system refused for one that it did."""

    def _apply(self, action):
        outcome = super()._apply(action)
        refused = isinstance(action, Update) and isinstance(outcome, Rejected)
        return Applied(action, action.ref) if refused else outcome


class CutsChanges(FakeConnector):
    def _apply(self, action):
        if isinstance(action, Update):
            cut = {name: v[:40] if name == "Name" and v else v for name, v in action.values.items()}
            return attrs.evolve(super()._apply(attrs.evolve(action, values=cut)), action=action)
        return super()._apply(action)


class RepeatsWhatItChanges(FakeConnector):
    """Repeats the values of a change that is refused."""

    def _refused(self, kind, values, *, creating):
        found = super()._refused(kind, values, creating=creating)
        return found if creating or found is None else because(found.code, system=self.system, field=f"{dict(values)}")


class ClearsTextAlone(FakeConnector):
    """Leaves out what is None and no text: the rest is not sent."""

    def _change(self, ref, values, by, *, key=""):
        known = self._schemas[ref.kind].fields
        sent = {name: v for name, v in values.items() if v is not None or known[name].type in {"text", "email"}}
        super()._change(ref, sent, by, key=key)


class PutsNoForACleared(FakeConnector):
    """Takes a flag that is cleared for one that is off, though the system knows flags that are neither."""

    def _change(self, ref, values, by, *, key=""):
        super()._change(ref, {name: False if name == "Optin" and v is None else v for name, v in values.items()}, by)


class SwapsRemovals(FakeConnector):
    def apply(self, batch):
        told = yield from super().apply(batch)
        if not batch or not isinstance(batch[0], Delete):
            return told
        backwards = zip(told[::-1], batch, strict=True)
        return [attrs.evolve(outcome, action=action) for outcome, action in backwards]


class SwallowsChanges(FakeConnector):
    def _apply(self, action):
        return Applied(action, action.ref) if isinstance(action, Update) else super()._apply(action)


class ChangesThoughItMayNot(FakeConnector):
    """Does not claim changes, and does them to whatever is there."""

    def _check(self, batch):
        pass

    def _apply(self, action):
        there = isinstance(action, Create) or action.ref.id in self._rows[action.ref.kind]
        return super()._apply(action) if there else Stale(action)


def invented(action, applied):
    return attrs.evolve(applied, stored=dict.fromkeys(action.answer, "so")) if isinstance(action, Create) else applied


def next_version(action, applied):
    return attrs.evolve(applied, version=f"{applied.version}1") if isinstance(action, Create) else applied


def stored_floats(action, applied):
    numbers = {name: float(v) if name == "Staff" and v else v for name, v in (applied.stored or {}).items()}
    return attrs.evolve(applied, stored=numbers)


def stamped(change):
    return answers(lambda action, applied: attrs.evolve(applied, stamp=change(applied.stamp)))


EVENTS = {"appends_only": True, "updates": False, "archives": False, "deletes": False}
GALLERY = {
    "fetches no merge": (fetches(without_departures), "fetch_tells_a_merge", {}),
    "fetches a merge as a deletion": (fetches(departures_as_deletions), "fetch_tells_a_merge", {}),
    "fetches the winner under the id of the loser": (FollowsAMerge, "fetch_tells_a_merge", {}),
    "fetches no move": (fetches(without_departures), "fetch_tells_a_move", {}),
    "fetches stamps without a zone": (fetches(naive_stamps), "columns_are_as_long_as_the_ids", {}),
    "fetches columns of other lengths": (fetches(short_columns), "columns_are_as_long_as_the_ids", {}),
    "fetches floats": (fetches(floats), "cells_are_of_their_fields_types", {}),
    "finds floats": (FindsFloats, "cells_are_of_their_fields_types", {}),
    "fetches instants without a zone": (fetches(naive_instants), "cells_are_of_their_fields_types", {}),
    "fetches the last refs alone": (KeepsTheLastOnes, "a_full_batch_of_refs_is_fetched", {}),
    "reads another author than it fetches": (ReadsAnyAuthor, "fetch_and_read_agree", {}),
    "tells no clock": (clock(lambda _: None), "the_clock_that_is_told_is_the_one_that_stamps", {}),
    "tells a clock without a zone": (clock(bare), "the_clock_that_is_told_is_the_one_that_stamps", {}),
    "tells a clock of another zone": (
        clock(lambda told: told + NINE_HOURS), "the_clock_that_is_told_is_the_one_that_stamps", {},
    ),
    "stamps in local time": (StampsInLocalTime, "the_clock_that_is_told_is_the_one_that_stamps", {}),
    "stamps the creation": (StampsItsCreation, "a_stamp_moves_with_its_record", {}),
    "answers with a later stamp": (
        stamped(lambda at: at + NINE_HOURS), "the_stamp_of_an_answer_is_that_of_its_record", {},
    ),
    "answers with a stamp long past": (
        stamped(lambda at: at - NINE_HOURS), "the_stamp_of_an_answer_is_that_of_its_record", {},
    ),
    "answers with a stamp without a zone": (stamped(bare), "the_stamp_of_an_answer_is_that_of_its_record", {}),
    "takes the system's page for the end": (TakesItsPageForTheEnd, "the_systems_own_page_is_not_the_end", {}),
    "tells one departure a page": (TellsOneDeparture, "a_deletion_is_reported", {}),
    "finds from a cache": (FindsFromACache, "find_shows_a_change", {}),
    "finds in any case": (FindsInAnyCase, "another_case_is_another_key", {}),
    "can be asked for what is not there": (
        FakeConnector, "what_can_be_asked_for_is_a_field", {"finds_by": frozenset({"@id", "NoSuchField"})},
    ),
    "takes a refused change for done": (AppliesWhatWasRefused, "what_the_schema_refuses_is_refused_in_a_change", {}),
    "cuts a change": (CutsChanges, "what_the_schema_refuses_is_refused_in_a_change", {}),
    "repeats the values of a change": (RepeatsWhatItChanges, "no_value_and_no_secret_is_in_an_error", {}),
    "clears text alone": (ClearsTextAlone, "each_optional_field_can_be_cleared", {}),
    "puts off a flag that is cleared": (PutsNoForACleared, "each_optional_field_can_be_cleared", {}),
    "swaps the outcomes of removals": (SwapsRemovals, "an_outcome_is_that_of_its_own_removal", {}),
    "changes what it may not": (ChangesThoughItMayNot, "a_verb_that_is_not_claimed_is_refused", {"updates": False}),
    "answers a create with what is not there": (
        answers(invented), "the_answer_to_a_create_tells_what_is_stored", {},
    ),
    "answers a create with the next version": (
        answers(next_version), "the_answer_to_a_create_tells_what_is_stored", {},
    ),
    "answers a change with floats": (answers(stored_floats), "the_answer_tells_what_is_stored", {}),
    "changes what is only appended": (FakeConnector, "what_is_only_appended_does_not_change", EVENTS),
    "folds the case of addresses": (stores("email", str.lower), "a_value_of_any_type_is_kept_or_refused", {}),
    "drops the tag of an address": (
        stores("email", lambda value: value.replace("+", "")), "a_value_of_any_type_is_kept_or_refused", {},
    ),
    "cuts an address": (
        stores("email", lambda value: value[-40:]), "what_the_schema_accepts_is_accepted", {},
    ),
    "rounds within the scale": (
        stores("number", lambda value: Decimal(value).quantize(Decimal(1))),
        "a_value_of_any_type_is_kept_or_refused", {},
    ),
    "loses the sign": (stores("number", abs), "a_value_of_any_type_is_kept_or_refused", {}),
    "loses seconds": (
        stores("instant", lambda value: value.replace(second=0)), "a_value_of_any_type_is_kept_or_refused", {},
    ),
    "loses minutes": (
        stores("instant", lambda value: value.replace(minute=0, second=0)),
        "a_value_of_any_type_is_kept_or_refused", {},
    ),
    "keeps one choice": (stores("choices", lambda value: value[:1]), "a_value_of_any_type_is_kept_or_refused", {}),
    "sorts choices": (
        stores("choices", lambda value: tuple(sorted(value))), "a_value_of_any_type_is_kept_or_refused", {},
    ),
    "folds the spaces inside": (
        stores("text", lambda value: "  ".join(value.split("  ")[:1]) if "  " in value.strip() else value),
        "hostile_text_is_kept_or_refused", {},
    ),
}  # fmt: skip
"""By what is wrong: a connector, the law that must name it, and what it claims."""

SAID = {
    "swallows changes": (SwallowsChanges, "each_value_goes_to_its_own_record", "was answered by Applied: "),
    "fetches instants without a zone": (
        fetches(naive_instants), "order_and_duplicates_do_not_matter", "is an instant without a time zone",
    ),
}  # fmt: skip
"""By what is wrong: a connector, a law that it breaks by the way, and the words that lead to the fault."""
