"""A gallery of wrong connectors: each is a sound one but for a single fault that somebody once shipped."""

from __future__ import annotations

import datetime as dt
import json

import attrs

from crmbridge.errors import Refused, Unreachable
from crmbridge.flow import call
from crmbridge.model import (
    MISSING,
    Applied,
    Archive,
    Create,
    Delete,
    Deleted,
    Merged,
    Page,
    RecordRef,
    Rejected,
    Schema,
    Update,
)
from crmbridge.reasons import Code, because
from crmbridge.testing import FakeConnector
from crmbridge.testing.faulty import FaultyConnector


def pages(change):
    """Read as a sound connector does, and then change the page."""

    class Wrong(FakeConnector):
        def _read(self, query):
            return change(self, query, super()._read(query))

    return Wrong


def outcomes(change):
    """Write as a sound connector does, and then change the outcomes."""

    class Wrong(FakeConnector):
        def apply(self, batch):
            self._check(batch)
            return call(lambda: change(self, batch, [self._apply(action) for action in batch]))

    return Wrong


def stores(change):
    """Store something else than was written."""

    class Wrong(FakeConnector):
        def __init__(self, *args, **how):
            super().__init__(*args, **how, stores=lambda kind, field, value: change(field, value))

    return Wrong


def cells(rows, change):
    return attrs.evolve(
        rows,
        cells=tuple(
            tuple(change(name, value) for name, value in zip(rows.fields, row, strict=True)) for row in rows.cells
        ),
    )


def kept(rows, chosen):
    """Keep some rows."""
    places = [place for place in range(len(rows)) if chosen(place)]

    def some(column):
        return tuple(column[place] for place in places) if column else ()

    columns = ("ids", "cells", "versions", "stamps", "authors")
    return attrs.evolve(rows, **{name: some(getattr(rows, name)) for name in columns})


def text(change):
    return stores(lambda field, value: change(value) if isinstance(value, str) and field in {"Name", "Note"} else value)


# -- reading -------------------------------------------------------------------------------


class DropsAPage(FakeConnector):
    """Skips the first record of every page but the first: an offset that was counted wrongly."""

    def _read(self, query):
        page = super()._read(query)
        since = json.loads(query.cursor)[0] if query.cursor else 0
        first = not since or not page.more
        return page if first else attrs.evolve(page, rows=kept(page.rows, lambda place: place > 0))


class NeverEnds(FakeConnector):
    """Says that there is more for ever."""

    def _read(self, query):
        return attrs.evolve(super()._read(query), more=True, complete=False)


class StartsAgain(FakeConnector):
    """Forgets the cursor, and gives the first page again."""

    def _read(self, query):
        page = super()._read(attrs.evolve(query, cursor=None, limit=max(query.limit, 1)))
        return attrs.evolve(
            page, cursor=f"{page.cursor} {query.cursor and len(query.cursor)}", more=query.cursor is None
        )


class SkipsEqualStamps(FakeConnector):
    """Resumes after the last stamp, and not after the last record: what shares the stamp is lost."""

    def _read(self, query):
        since = json.loads(query.cursor)[0] if query.cursor else ""
        rows = sorted(self._rows[query.kind].items(), key=lambda item: item[1].number)
        found = [(id, row) for id, row in rows if row.stamp.isoformat() > since]
        page, more = found[: query.limit], len(found) > query.limit
        last = page[-1][1].stamp.isoformat() if page else since
        ids = [id for id, _ in page]
        return Page(self._as_rows(query.kind, query.fields, ids), (), json.dumps([last, False]), more)


class SaysCompleteTooEarly(FakeConnector):
    def _read(self, query):
        return attrs.evolve(super()._read(query), complete=True)


class HidesDeletes(FakeConnector):
    def _tells(self, gone):
        return False


class ResolvesNoMerge(FakeConnector):
    """Tells a merge as a plain deletion, so that the link to the survivor is cut."""

    def _read(self, query):
        page = super()._read(query)
        plain = tuple(Deleted(one.ref) if isinstance(one, Merged) else one for one in page.departures)
        return attrs.evolve(page, departures=plain)


class KeepsItsVersion(FakeConnector):
    def _as_rows(self, kind, fields, ids):
        rows = super()._as_rows(kind, fields, ids)
        return attrs.evolve(rows, versions=("1",) * len(rows))


class NamesNoAuthor(FakeConnector):
    def _as_rows(self, kind, fields, ids):
        return attrs.evolve(super()._as_rows(kind, fields, ids), authors=())


class AnswersFromACache(FakeConnector):
    """Fetches what it fetched first, for ever."""

    def _fetch(self, refs, fields):
        held = self.__dict__.setdefault("_cache", {})
        return held.setdefault((tuple(refs), tuple(fields)), super()._fetch(refs, fields))


class CountsItsIds(FakeConnector):
    """Takes its own ids for another form of themselves."""

    def read_id(self, kind, text):
        return text if " " in text or not text else f"{text}0"


class NamesEverything(FakeConnector):
    """Folds what is no id of its system."""

    def read_id(self, kind, text):
        return text.replace(" ", "")


class FetchesInTheWrongOrder(FakeConnector):
    """Puts the rows of an answer beside the ids of the question."""

    def _fetch(self, refs, fields):
        page = super()._fetch(refs, fields)
        return attrs.evolve(page, rows=attrs.evolve(page.rows, cells=page.rows.cells[::-1]))


class FetchesWhatIsGone(FakeConnector):
    def _fetch(self, refs, fields):
        page = super()._fetch(refs, fields)
        gone = [ref.id for ref in refs if ref in self._gone]
        for ref in refs:
            if ref in self._gone:
                self._rows[ref.kind][ref.id] = self._gone[ref][2]
        rows = self._as_rows(refs[0].kind, tuple(fields), [*page.rows.ids, *gone]) if refs else page.rows
        for id in gone:
            del self._rows[refs[0].kind][id]
        return attrs.evolve(page, rows=rows, departures=())


class TakesASlice(FakeConnector):
    """Fetches the first hundred refs, and is silent about the others."""

    def _fetch(self, refs, fields):
        return super()._fetch(refs[:100], fields)


class KnowsEveryKind(FakeConnector):
    def _described(self, kind):
        return self._schemas.get(kind) or Schema(kind, {})


# -- searching -----------------------------------------------------------------------------


class FindsByTheBeginning(FakeConnector):
    def _holds(self, id, row, key):
        return bool(key.value) and str(row.values.get(key.field) or "").startswith(key.value[:3])


class FindsBlanks(FakeConnector):
    def _holds(self, id, row, key):
        return super()._holds(id, row, key) or not key.value.strip()


class IgnoresTheLimit(FakeConnector):
    def _find(self, question, fields):
        return super()._find(attrs.evolve(question, limit=1000), fields)


class TellsOfTen(FakeConnector):
    """Answers with the first page of a search, whatever was asked for."""

    def _find(self, question, fields):
        return super()._find(attrs.evolve(question, limit=min(question.limit, 10)), fields)


class TakesAnyKey(FakeConnector):
    def _find(self, question, fields):
        loose = tuple((key,) for keys in question.any_of for key in keys)
        return super()._find(attrs.evolve(question, any_of=loose), fields)


class DropsEmptyAnswers(FakeConnector):
    def find(self, questions, fields):
        return call(lambda: [rows for one in questions if len(rows := self._find(one, tuple(fields)))])


class PastesItsQuestion(FakeConnector):
    """Puts the text between quotes as it is: one with a quote of its own ends the condition."""

    def _holds(self, id, row, key):
        return super()._holds(id, row, key) or "' OR " in key.value


class ForgetsWhatIsGone(FakeConnector):
    def _find(self, question, fields):
        return super()._find(attrs.evolve(question, gone=False), fields)


# -- writing -------------------------------------------------------------------------------


class StopsAtTheFirstFault(FakeConnector):
    """One record that is refused raises for all of its batch."""

    def _apply(self, action):
        outcome = super()._apply(action)
        if isinstance(outcome, Rejected):
            raise Refused(self.system, "bad request", status=400)
        return outcome


class SwallowsAnError(FakeConnector):
    def _apply(self, action):
        outcome = super()._apply(action)
        ref = RecordRef(self.system, "contact", "0") if isinstance(action, Create) else action.ref
        return Applied(action, ref) if isinstance(outcome, Rejected) else outcome


class CutsTheBatch(FakeConnector):
    def apply(self, batch):
        return super().apply(batch[: self.capabilities("contact").batch])


class WritesOneByOne(FakeConnector):
    """Sends a request a record, whatever it says."""

    def apply(self, batch):
        outcomes = []
        for action in batch:
            outcomes += yield from super().apply([action])
        return outcomes


class FetchesOneByOne(FakeConnector):
    """Takes many refs at once, and asks for each by itself."""

    def fetch(self, refs, fields):
        for ref in refs[1:]:
            yield from super().fetch([ref], fields)
        return (yield from super().fetch(refs, fields))


class GoesByTheFirst(FakeConnector):
    """Sends a mixed batch by the verb of its first action."""

    def apply(self, batch):
        def one(action):
            if isinstance(batch[0], Create) and isinstance(action, Update):
                return Applied(action, self._make("contact", action.values, "us"))
            return self._apply(action)

        return call(lambda: [one(action) for action in batch])


class DropsUnknownFields(FakeConnector):
    def _apply(self, action):
        if isinstance(action, Create | Update):
            known = {name: value for name, value in action.values.items() if name in self._schemas["contact"].fields}
            outcome = super()._apply(attrs.evolve(action, values=known))
            return attrs.evolve(outcome, action=action)
        return super()._apply(action)


class SaysOkToTheReadOnly(FakeConnector):
    def _refused(self, kind, values, *, creating):
        writable = {name: value for name, value in values.items() if name != "Made"}
        return super()._refused(kind, writable, creating=creating)


class Resurrects(FakeConnector):
    """Makes a record anew where its change finds nothing."""

    def _apply(self, action):
        if isinstance(action, Update) and action.ref.id not in self._rows[action.ref.kind]:
            ref = self._make(action.ref.kind, {"Name": "back", **action.values}, "us", id=action.ref.id)
            return Applied(action, ref)
        return super()._apply(action)


class IgnoresThePrecondition(FakeConnector):
    def _stale(self, ref, version):
        return super()._stale(ref, None)


class WritesAllFields(FakeConnector):
    """Sends the whole record where one field was to change: what it does not know becomes empty."""

    def _change(self, ref, values, by, *, key=""):
        whole = dict.fromkeys(("Note", "Tags", "Born")) if by == "us" else {}
        super()._change(ref, {**whole, **values}, by, key=key)


class ClearsNothing(FakeConnector):
    def _change(self, ref, values, by, *, key=""):
        super()._change(ref, {name: value for name, value in values.items() if value is not None}, by, key=key)


class AppliesAHalf(FakeConnector):
    """Says that all was done, and does the first half."""

    def apply(self, batch):
        def one(at, action):
            if isinstance(action, Update) and at >= (len(batch) + 1) // 2:
                return Applied(action, action.ref)
            return self._apply(action)

        return call(lambda: [one(at, action) for at, action in enumerate(batch)])


class DoesAFieldAtATime(FakeConnector):
    """Writes the good values of a change, and then finds the bad one."""

    def _apply(self, action):
        outcome = super()._apply(action)
        if isinstance(action, Update) and isinstance(outcome, Rejected):
            known = self._schemas[action.ref.kind].fields
            self._change(action.ref, {name: v for name, v in action.values.items() if name in known}, "us")
        return outcome


class SendsTwice(FaultyConnector):
    """Sends a create again when its answer is lost."""

    def _write(self, batch):
        try:
            return super()._write(batch)
        except Unreachable:
            return super()._write(batch)


class CallsALostAnswerARefusal(FaultyConnector):
    def _write(self, batch):
        try:
            return super()._write(batch)
        except Unreachable:
            return [Rejected(action, because(Code.REFUSED_BY_SYSTEM, system=self.system)) for action in batch]


class ForgetsItsKey(FakeConnector):
    def _create(self, action):
        return super()._create(attrs.evolve(action, key=f"{action.key}-{self._number}"))


class KeepsNothingUnique(FakeConnector):
    def _create(self, action):
        return self._applied(action, self._make(action.kind, action.values, "us", key=action.key))


class TellsWhatWasSent(FakeConnector):
    """Answers a write with the values of the question, though the system stores others."""

    def _stored(self, kind, values):
        held = super()._stored(kind, values)
        return {
            name: value.upper() if name == "Note" and isinstance(value, str) else value for name, value in held.items()
        }

    def _applied(self, action, ref):
        return attrs.evolve(super()._applied(action, ref), stored=dict(action.values))


class DeletesNothing(FakeConnector):
    def _apply(self, action):
        return Applied(action, action.ref) if isinstance(action, Delete) else super()._apply(action)


class WritesAsThePerson(FakeConnector):
    def _change(self, ref, values, by, *, key=""):
        super()._change(ref, values, "us", key=key)


class TalksInItsErrors(FakeConnector):
    """Repeats the values of a record that is refused."""

    def _refused(self, kind, values, *, creating):
        found = super()._refused(kind, values, creating=creating)
        return found and because(found.code, system=self.system, field=f"{dict(values)}")


class LeaksItsSecret(FakeConnector):
    def _apply(self, action):
        outcome = super()._apply(action)
        if isinstance(outcome, Rejected):
            raise Refused(self.system, "refused for the token s3cr3t-token", status=400)
        return outcome


class MakesOneTooMany(FakeConnector):
    def _create(self, action):
        if self._number % 7 == 0:
            self._make(action.kind, action.values, "us")
        return super()._create(action)


class OrdersByCreation(FakeConnector):
    """Reads by the time of creation: what changes later is never read again."""

    def _change(self, ref, values, by, *, key=""):
        place = self._rows[ref.kind][ref.id].number
        super()._change(ref, values, by, key=key)
        self._rows[ref.kind][ref.id].number = place


class FetchesEmptyText(FakeConnector):
    def _fetch(self, refs, fields):
        page = super()._fetch(refs, fields)
        return attrs.evolve(page, rows=cells(page.rows, lambda _, value: "" if value is None else value))


class TakesOneLess(FakeConnector):
    def _check(self, batch):
        if len(batch) >= self.capabilities("contact").batch:
            raise Refused(self.system, "too many records", status=400)
        super()._check(batch)


class FindsAnyKey(FakeConnector):
    def _holds(self, id, row, key):
        return key.field == "@key" or super()._holds(id, row, key)


class RetriesUnderANewKey(FaultyConnector):
    def _create(self, action):
        return super()._create(attrs.evolve(action, key=f"{action.key}-{self._number}"))


class LosesTheTrail(FakeConnector):
    """Tells a record that became one of another kind as deleted."""

    def _read(self, query):
        page = super()._read(query)
        return attrs.evolve(page, departures=tuple(Deleted(one.ref) for one in page.departures))


class LeavesOneOver(FakeConnector):
    """Takes a page for the last one where only one record is left."""

    def _read(self, query):
        page = super()._read(query)
        rest = super()._read(attrs.evolve(query, cursor=page.cursor)) if page.more else None
        return attrs.evolve(page, more=page.more and (rest is None or len(rest.rows) > 1))


class TouchesANeighbour(FakeConnector):
    def _change(self, ref, values, by, *, key=""):
        super()._change(ref, values, by, key=key)
        for id in list(self._rows[ref.kind])[-1:]:
            self._rows[ref.kind][id].values["Note"] = "touched"


class GoesForwardOnly(FakeConnector):
    """Keeps the place in the process: a cursor that was stored is good for nothing."""

    def _read(self, query):
        if query.cursor is not None and query.cursor != self.__dict__.get("_place"):
            return Page(self._as_rows(query.kind, query.fields, []), (), query.cursor)
        page = super()._read(query)
        self.__dict__["_place"] = page.cursor
        return page


class DoesMoreThanItClaims(FakeConnector):
    def _check(self, batch):
        pass


class NeedsSomething(FakeConnector):
    def apply(self, batch):
        return super().apply([batch[0], *batch[1:]])

    def fetch(self, refs, fields):
        return super().fetch([refs[0], *refs[1:]], fields)


class IsAlwaysStale(FakeConnector):
    def _stale(self, ref, version):
        return version is not None or super()._stale(ref, version)


class FetchesNothing(FakeConnector):
    def _fetch(self, refs, fields):
        return attrs.evolve(super()._fetch(refs, fields), rows=self._as_rows("contact", tuple(fields), []))


class HidesItsOwn(FakeConnector):
    """Leaves out what we wrote ourselves, so as not to read it back: what the system made of it is never learned."""

    def _read(self, query):
        page = super()._read(query)
        return attrs.evolve(page, rows=kept(page.rows, lambda place: page.rows.authors[place] != "us"))


class CountsItsReadings(FakeConnector):
    def _as_rows(self, kind, fields, ids):
        self._number += 1
        rows = super()._as_rows(kind, fields, ids)
        return attrs.evolve(rows, versions=tuple(f"{version}.{self._number}" for version in rows.versions))


class NamesByLabel(FakeConnector):
    def _described(self, kind):
        schema = super()._described(kind)
        return Schema(kind, {name.lower(): spec for name, spec in schema.fields.items()})


class SaysArchived(FakeConnector):
    def _apply(self, action):
        return Applied(action, action.ref) if isinstance(action, Archive) else super()._apply(action)


class ChangesNothing(FakeConnector):
    def _change(self, ref, values, by, *, key=""):
        super()._change(ref, {} if by == "us" else values, by, key=key)


def mixed_columns(self, query, page):
    return attrs.evolve(page, rows=attrs.evolve(page.rows, cells=tuple(row[::-1] for row in page.rows.cells)))


def shouting(self, query, page):
    shout = cells(page.rows, lambda name, value: str(value).upper() if name == "Name" and value else value)
    return attrs.evolve(page, rows=shout)


def none_for_missing(self, query, page):
    known = self._schemas[query.kind].fields
    return attrs.evolve(page, rows=cells(page.rows, lambda name, value: value if name in known else None))


def missing_for_none(self, query, page):
    return attrs.evolve(page, rows=cells(page.rows, lambda _, value: MISSING if value is None else value))


def empty_text(self, query, page):
    return attrs.evolve(page, rows=cells(page.rows, lambda _, value: "None" if value is None else value))


def text_for_numbers(self, query, page):
    return attrs.evolve(page, rows=cells(page.rows, lambda name, v: [v] if name == "Tags" and v else v))


def repeats(self, query, page):
    rows = page.rows
    return attrs.evolve(page, rows=kept_twice(rows)) if len(rows) else page


def kept_twice(rows):
    doubled = {name: (*getattr(rows, name), *getattr(rows, name)[:1]) for name in ("ids", "cells", "versions", "stamps", "authors")}  # fmt: skip
    return attrs.evolve(rows, **doubled)


def naive(self, query, page):
    bare = tuple(stamp and stamp.replace(tzinfo=None) for stamp in page.rows.stamps)
    return attrs.evolve(page, rows=attrs.evolve(page.rows, stamps=bare))


def shifted(self, batch, told):
    return told[::-1]


def fewer(self, batch, told):
    return told[:-1] if len(told) > 1 else told


MINUTE = dt.timedelta(minutes=1)
GALLERY = {
    "orders by creation": (OrdersByCreation, "a_change_after_the_cursor_is_seen", {}),
    "fetches empty text": (FetchesEmptyText, "a_field_that_was_never_written_is_blank", {}),
    "writes one by one": (WritesOneByOne, "a_write_takes_no_more_requests_than_declared", {}),
    "says that a request carries less": (
        WritesOneByOne, "a_write_takes_no_more_requests_than_declared", {"carries": {"create": 1, "update": 2}},
    ),
    "fetches one by one": (FetchesOneByOne, "a_read_by_id_takes_no_more_requests_than_declared", {}),
    "takes one less than it claims": (TakesOneLess, "a_full_batch_is_taken", {}),
    "finds any key": (FindsAnyKey, "a_key_that_was_never_sent_is_not_found", {}),
    "retries under a new key": (
        RetriesUnderANewKey, "a_lost_create_is_found_or_not_made_again", {"create": "A-key"},
    ),
    "loses the trail of a conversion": (LosesTheTrail, "a_move_is_reported", {}),
    "hides what its records were": (FakeConnector, "a_move_is_reported", {"moved_from": frozenset()}),
    "leaves one over": (LeavesOneOver, "a_page_is_no_longer_than_asked_for_or_says_that_there_is_more", {}),
    "touches a neighbour": (TouchesANeighbour, "a_record_not_named_is_not_touched", {}),
    "goes forward only": (GoesForwardOnly, "a_stored_cursor_resumes", {}),
    "does more than it claims": (DoesMoreThanItClaims, "a_verb_that_is_not_claimed_is_refused", {"deletes": False}),
    "needs an action": (NeedsSomething, "an_empty_batch_is_nothing", {}),
    "needs a ref": (NeedsSomething, "nothing_asked_is_nothing_told", {}),
    "is always stale": (IsAlwaysStale, "an_update_with_the_right_version_is_done", {}),
    "mixes columns": (pages(mixed_columns), "asked_fields_are_present", {}),
    "reads otherwise than it fetches": (pages(shouting), "fetch_and_read_agree", {}),
    "fetches nothing": (FetchesNothing, "fetch_gives_what_there_is", {}),
    "hides its own writes": (HidesItsOwn, "our_own_write_is_read", {}),
    "counts its readings": (CountsItsReadings, "reading_twice_gives_the_same", {}),
    "names fields by their labels": (NamesByLabel, "the_schema_names_its_fields", {}),
    "reads on after the last stamp": (SkipsEqualStamps, "what_appears_late_is_still_seen", {"overlap": MINUTE}),
    "archives nothing": (SaysArchived, "what_is_archived_is_away", {}),
    "changes nothing": (ChangesNothing, "what_was_written_is_there", {}),
    "drops a page": (DropsAPage, "a_read_gives_every_record_once", {}),
    "never ends": (NeverEnds, "pages_end", {}),
    "begins again at each page": (StartsAgain, "a_read_gives_every_record_once", {}),
    "resumes after the last stamp": (SkipsEqualStamps, "records_of_one_instant_are_not_lost_between_pages", {}),
    "says complete on every page": (SaysCompleteTooEarly, "complete_is_said_at_the_end_alone", {}),
    "hides deletes that it claims to see": (HidesDeletes, "a_deletion_is_reported", {}),
    "tells a merge as a deletion": (ResolvesNoMerge, "a_merge_is_reported", {}),
    "keeps a version over a change": (KeepsItsVersion, "a_version_changes_with_every_change", {}),
    "names no author though it claims to": (NamesNoAuthor, "columns_are_as_long_as_the_ids", {}),
    "gives None for what was not read": (pages(none_for_missing), "a_field_that_is_not_there_is_missing", {}),
    "gives MISSING for what is empty": (pages(missing_for_none), "an_empty_field_is_blank", {}),
    "gives a word for what is empty": (pages(empty_text), "an_empty_field_is_blank", {}),
    "gives lists for sets": (pages(text_for_numbers), "cells_are_of_their_fields_types", {}),
    "repeats a record in a page": (pages(repeats), "a_record_stands_once_in_a_page", {}),
    "tells time without a zone": (pages(naive), "columns_are_as_long_as_the_ids", {}),
    "fetches from a cache": (AnswersFromACache, "fetch_shows_a_change", {}),
    "reads any id as another": (CountsItsIds, "an_id_is_read_as_records_have_it", {}),
    "makes an id of any text": (NamesEverything, "an_id_is_read_as_records_have_it", {}),
    "fetches rows beside the wrong ids": (FetchesInTheWrongOrder, "order_and_duplicates_do_not_matter", {}),
    "fetches what is gone": (FetchesWhatIsGone, "what_is_gone_is_gone", {}),
    "fetches a slice of what was asked": (TakesASlice, "a_full_batch_of_refs_is_fetched", {}),
    "knows every kind": (KnowsEveryKind, "a_kind_that_is_not_there_is_refused", {}),
    "finds by the beginning": (FindsByTheBeginning, "find_answers_what_it_finds_and_no_more", {}),
    "finds everything by a blank": (FindsBlanks, "a_blank_key_finds_nothing", {}),
    "ignores the limit": (IgnoresTheLimit, "where_more_are_found_limit_of_them", {}),
    "tells of ten at most": (TellsOfTen, "fewer_are_found_only_where_there_are_no_more", {}),
    "takes any key for all": (TakesAnyKey, "all_keys_of_an_alternative_must_agree", {}),
    "leaves out empty answers": (DropsEmptyAnswers, "one_answer_per_question_in_order", {}),
    "pastes text into its question": (PastesItsQuestion, "hostile_text_in_a_question_is_data", {}),
    "does not look among what is gone": (ForgetsWhatIsGone, "a_search_for_what_is_gone_finds_it", {}),
    "reorders outcomes": (outcomes(shifted), "one_outcome_per_action_in_order", {}),
    "loses an outcome": (outcomes(fewer), "one_outcome_per_action_in_order", {}),
    "stops at the first fault": (StopsAtTheFirstFault, "a_bad_action_fails_alone", {}),
    "swallows an error": (SwallowsAnError, "a_bad_action_fails_alone", {}),
    "cuts a batch": (CutsTheBatch, "a_batch_that_is_too_long_is_not_cut", {}),
    "takes a batch for what its first action is": (GoesByTheFirst, "one_kind_and_one_verb_per_batch", {}),
    "drops fields that it does not know": (DropsUnknownFields, "a_field_that_is_not_there_is_refused", {}),
    "says yes to what is read-only": (SaysOkToTheReadOnly, "a_field_that_is_read_only_is_refused", {}),
    "resurrects": (Resurrects, "a_record_that_is_gone_is_stale", {}),
    "ignores the precondition": (IgnoresThePrecondition, "an_update_with_an_old_version_is_stale", {}),
    "removes what moved on": (IgnoresThePrecondition, "a_removal_with_an_old_version_is_stale", {}),
    "writes all fields": (WritesAllFields, "a_field_not_named_is_not_touched", {}),
    "clears nothing": (ClearsNothing, "a_clear_clears", {}),
    "applies half a batch": (AppliesAHalf, "each_value_goes_to_its_own_record", {}),
    "applies half a change": (DoesAFieldAtATime, "a_refused_change_changes_nothing", {}),
    "sends twice": (SendsTwice, "a_lost_answer_is_told", {}),
    "calls a lost answer a refusal": (CallsALostAnswerARefusal, "a_lost_answer_is_told", {}),
    "forgets its key": (ForgetsItsKey, "the_same_key_makes_one_record", {"create": "A-key"}),
    "answers another record for its key": (ForgetsItsKey, "the_same_key_twice_writes_once", {"create": "A-key"}),
    "cannot find its own key": (ForgetsItsKey, "our_key_can_be_read_back", {}),
    "claims class B without a key": (FakeConnector, "promises_fit_together", {"create_key": None}),
    "keeps nothing unique": (KeepsNothingUnique, "a_unique_value_belongs_to_one_record", {"create": "A-unique"}),
    "tells what was sent for what is stored": (TellsWhatWasSent, "the_answer_tells_what_is_stored", {}),
    "deletes nothing": (DeletesNothing, "what_is_deleted_is_gone", {}),
    "takes a person for itself": (WritesAsThePerson, "our_hand_is_told_from_another", {}),
    "repeats values in its reasons": (TalksInItsErrors, "no_value_and_no_secret_is_in_an_error", {}),
    "leaks its secret": (LeaksItsSecret, "no_value_and_no_secret_is_in_an_error", {}),
    "makes one too many": (MakesOneTooMany, "nothing_is_written_twice", {}),
    "trims": (text(str.strip), "hostile_text_is_kept_or_refused", {}),
    "folds width": (text(lambda value: value.replace("　", " ")), "japanese_text_is_kept", {}),
    "cuts without a word": (text(lambda value: value[:30]), "what_the_schema_accepts_is_accepted", {}),
    "loses what is outside the basic plane": (
        text(lambda value: "".join(sign for sign in value if ord(sign) < 0x10000)),
        "hostile_text_is_kept_or_refused", {},
    ),
    "turns line breaks": (text(lambda value: value.replace("\r\n", "\n")), "hostile_text_is_kept_or_refused", {}),
    "takes what its schema refuses": (
        type("Lax", (FakeConnector,), {"_refused": lambda self, kind, values, creating: None}),
        "what_the_schema_refuses_is_refused", {},
    ),
}  # fmt: skip
"""By what is wrong: a connector, the law that must name it, and what it claims."""
