"""Laws of the queue: agenda, quarantine, rulings; and of the inbox."""

from __future__ import annotations

import attrs

from ...model import Arrived, Merged, Record, Rows, Side, Signal
from ...reasons import Code, because
from ...roles import QueueRow, Ruling, StateStore, Tally
from .links import CELLS
from .values import CLOSED, HOUR, MINUTE, NOW, PEOPLE, Laws, commit, due, left, link, right, row

BUSY = because(Code.BUSY, system="sfa")


class QueueLaws(Laws):
    """What a store promises of the queue."""

    def test_arrivals_are_numbered_in_order_for_each_pipeline(self, store: StateStore) -> None:
        commit(store, queue=(row(3), row(1)))
        commit(store, "companies", queue=(row(3),))
        store = self.reopen(store)
        commit(store, queue=(row(2),))
        assert [(known.ref, known.sequence) for known in due(store)] == [(left(3), 1), (left(1), 2), (left(2), 3)]
        assert [known.sequence for known in store.agenda.due("companies", NOW, 9)] == [1]

    def test_a_row_keeps_all_that_it_was_given(self, store: StateStore) -> None:
        whole = QueueRow(
            "right", right(), "held", NOW, because(Code.RULE, name="ｶﾅ", n=3), "v", 4, departed=True, run="run",
            question="q\0",
        )  # fmt: skip
        commit(store, queue=(whole,))
        store = self.reopen(store)
        assert list(store.quarantine.rows(PEOPLE)) == [attrs.evolve(whole, sequence=1)]

    def test_a_row_that_arrives_again_is_ready_under_a_new_number_and_forgets_why_it_was_parked(
        self, store: StateStore
    ) -> None:
        commit(store, queue=(row(1), row(2)))
        commit(store, queue=(row(1, state="quarantined", because=BUSY, version="1", tries=3, sequence=1),))
        commit(store, queue=(row(1, version="2"),))
        assert due(store) == [row(2, sequence=2), row(1, version="2", sequence=3)]
        assert store.quarantine.count(PEOPLE) == {}

    def test_a_row_is_parked_or_ended_only_under_the_number_that_was_taken(self, store: StateStore) -> None:
        commit(store, queue=(row(1), row(2)))
        taken = due(store)
        commit(store, queue=(row(1), row(2)))
        parked = attrs.evolve(taken[0], state="held", because=BUSY)
        commit(store, queue=(parked,), done=(taken[1],))
        assert due(store) == [row(1, sequence=3), row(2, sequence=4)]
        commit(store, queue=(attrs.evolve(parked, sequence=3),), done=tuple(due(store)[1:]))
        assert due(store) == []
        assert list(store.quarantine.rows(PEOPLE)) == [attrs.evolve(parked, sequence=3)]

    def test_a_row_that_has_ended_is_not_parked(self, store: StateStore) -> None:
        commit(store, queue=(row(1),))
        commit(store, done=(row(1, sequence=1),))
        commit(store, queue=(row(1, state="held", sequence=1),))
        assert list(store.quarantine.rows(PEOPLE)) == []

    def test_a_woken_row_keeps_its_number_its_version_and_its_tries(self, store: StateStore) -> None:
        commit(store, queue=(row(1, state="quarantined", because=BUSY, until=NOW, version="1", tries=2), row(2)))
        commit(store, wake=(("left", left(1)), ("right", right(1)), ("left", left(2)), ("left", left(8))))
        assert due(store) == [row(1, version="1", tries=2, sequence=1), row(2, sequence=2)]

    def test_a_row_may_be_parked_and_woken_in_one_commit(self, store: StateStore) -> None:
        commit(store, queue=(row(1),))
        commit(store, queue=(row(1, state="held", sequence=1),), wake=(("left", left(1)),))
        assert due(store) == [row(1, sequence=1)]

    def test_a_held_row_is_due_when_its_time_has_come(self, store: StateStore) -> None:
        commit(
            store, queue=(row(1, state="held", until=NOW + HOUR), row(2, state="held", until=NOW), row(3, state="held"))
        )
        assert [known.ref for known in due(store)] == [left(2)]
        assert [known.ref for known in due(store, NOW + HOUR)] == [left(1), left(2)]
        assert store.agenda.next(PEOPLE) == NOW
        assert store.agenda.next("companies") is None

    def test_departures_come_first_then_the_numbers_decide(self, store: StateStore) -> None:
        rows = (row(1), row(2, departed=True), row(3, state="held", until=NOW), row(4), row(5, departed=True))
        held = row(6, state="held", until=NOW, departed=True)
        commit(store, queue=(*rows, held, row(7, state="disputed", departed=True)))
        assert [known.sequence for known in due(store)] == [2, 5, 6, 1, 3, 4]
        assert [known.sequence for known in due(store, limit=4)] == [2, 5, 6, 1]
        assert due(store, limit=0) == []

    def test_with_after_numbers_alone_decide_from_the_beginning_on(self, store: StateStore) -> None:
        commit(store, queue=(row(1), row(2), row(3, departed=True), row(4, state="held", until=NOW), row(5)))
        assert [known.sequence for known in store.agenda.due(PEOPLE, NOW, 2, after=0)] == [1, 2]
        assert [known.sequence for known in store.agenda.due(PEOPLE, NOW, 9, after=2)] == [3, 4, 5]
        assert list(store.agenda.due(PEOPLE, NOW, 9, after=5)) == []

    def test_a_tally_counts_what_is_due_by_side_and_link(self, store: StateStore) -> None:
        shared = link(9, right=right(4), shared=True)
        commit(
            store,
            links=(*(link(n) for n in range(4)), link(5, closed=CLOSED), shared),
            departures=(("left", Merged(left(2), left(20))),),
            queue=(
                row(0), row(1, departed=True), row(2, departed=True), row(5), row(6, departed=True), row(7),
                row(3, state="held", until=NOW + HOUR), row(8, state="quarantined"), row(4, "right"), row(0, "right"),
            ),
        )  # fmt: skip
        assert store.agenda.tally(PEOPLE, NOW) == Tally(
            links=5,
            departed_linked={"left": 1, "right": 0},
            linked={"left": 2, "right": 2},
            unlinked={"left": 2, "right": 0},
        )
        assert store.agenda.tally(PEOPLE, NOW + HOUR).linked == {"left": 3, "right": 2}
        nothing: dict[Side, int] = {"left": 0, "right": 0}
        assert store.agenda.tally("companies", NOW) == Tally(0, nothing, nothing, nothing)

    def test_the_quarantine_lists_parked_rows_in_order_and_counts_them_by_reason(self, store: StateStore) -> None:
        doubt = because(Code.IN_DOUBT, system="sfa")
        commit(store, queue=(row(2, state="disputed", because=doubt), row(1, state="held", because=BUSY), row(3)))
        commit(store, queue=(row(4, state="quarantined", because=because(Code.BUSY, n=2)), row(5, state="held")))
        assert [known.ref for known in store.quarantine.rows(PEOPLE)] == [left(2), left(1), left(4), left(5)]
        assert [known.ref for known in store.quarantine.rows(PEOPLE, "held")] == [left(1), left(5)]
        assert list(store.quarantine.rows(PEOPLE, "ready")) == []
        assert store.quarantine.count(PEOPLE) == {"in_doubt": 1, "busy": 2, "": 1}

    def test_the_rows_of_some_records_are_found_in_whatever_state(self, store: StateStore) -> None:
        rows = (row(1), row(2, state="held", because=BUSY), row(3, "right", state="disputed"))
        commit(store, queue=rows)
        first, second, third = (attrs.evolve(known, sequence=n) for n, known in enumerate(rows, start=1))
        refs = [left(2), left(1), left(3), left(2)]
        assert store.agenda.rows(PEOPLE, "left", refs) == {left(1): first, left(2): second}
        assert store.quarantine.of(PEOPLE, "left", refs) == {left(2): second}
        assert store.quarantine.of(PEOPLE, "right", [right(3), left(3)]) == {right(3): third}
        assert store.agenda.rows("companies", "left", refs) == {}

    def test_a_pipeline_is_enabled_from_an_instant_until_it_is_disabled(self, store: StateStore) -> None:
        assert store.agenda.enabled_since(PEOPLE) is None
        store.agenda.enable(PEOPLE, NOW)
        store = self.reopen(store)
        assert store.agenda.enabled_since(PEOPLE) == NOW
        assert store.agenda.enabled_since("companies") is None
        store.agenda.enable(PEOPLE, None)
        assert store.agenda.enabled_since(PEOPLE) is None


class RulingLaws(Laws):
    """What a store promises of rulings and objections."""

    def test_the_latest_ruling_on_a_record_holds(self, store: StateStore) -> None:
        first, last = Ruling(left(), "left", "kim", NOW), Ruling(left(), "right", "lee", NOW + HOUR)
        store.rulings.add(PEOPLE, first)
        store.rulings.add(PEOPLE, last)
        store = self.reopen(store)
        assert store.rulings.of(PEOPLE, [left(), left(2)]) == {left(): last}
        assert store.rulings.of("companies", [left()]) == {}

    def test_a_ruling_wakes_its_record(self, store: StateStore) -> None:
        commit(store, queue=(row(1, state="disputed", because=BUSY, tries=2), row(2, state="disputed")))
        store.rulings.add(PEOPLE, Ruling(left(1), "left", "kim", NOW))
        assert due(store) == [row(1, tries=2, sequence=3)]

    def test_a_ruling_tells_what_it_answers_and_a_record_that_wakes_what_it_asks(self, store: StateStore) -> None:
        commit(store, queue=(row(1, state="disputed", because=BUSY, question="asked"),))
        store.rulings.add(PEOPLE, Ruling(left(1), "left", "kim", NOW, "asked"))
        store = self.reopen(store)
        assert [known.question for known in due(store)] == ["asked"]
        assert store.rulings.of(PEOPLE, [left(1)])[left(1)].question == "asked"

    def test_a_record_that_arrives_anew_asks_nothing(self, store: StateStore) -> None:
        commit(store, queue=(row(1, state="disputed", because=BUSY, question="asked"),))
        commit(store, queue=(row(1),))
        assert [known.question for known in due(store)] == [None]

    def test_a_run_that_took_a_record_before_its_ruling_cannot_park_it_after(self, store: StateStore) -> None:
        commit(store, queue=(row(1),))
        [taken] = due(store)
        store.rulings.add(PEOPLE, Ruling(left(1), "left", "kim", NOW))
        commit(store, queue=(attrs.evolve(taken, state="disputed"),))
        assert [known.ref for known in due(store)] == [left(1)]

    def test_an_objection_holds_until_it_is_cleared(self, store: StateStore) -> None:
        objection = because(Code.TOO_MANY_DELETES, limit=5, found=NOW)
        commit(store, objection=objection)
        commit(store, queue=(row(1),))
        store = self.reopen(store)
        assert store.rulings.objection(PEOPLE) == objection
        assert store.rulings.objection("companies") is None
        commit(store, objection_cleared=True)
        assert store.rulings.objection(PEOPLE) is None
        commit(store, objection=objection, objection_cleared=True)
        assert store.rulings.objection(PEOPLE) == objection


class InboxLaws(Laws):
    """What a store promises of deliveries."""

    def test_a_delivery_is_taken_in_once(self, store: StateStore) -> None:
        one, two = Signal("1", left(1), NOW), Signal("2", left(2), NOW - MINUTE)
        assert store.inbox.put(PEOPLE, [one, two, one]) == 2
        assert store.inbox.put(PEOPLE, [attrs.evolve(one, ref=left(9)), Signal("\ud800", left(3), NOW)]) == 1
        store = self.reopen(store)
        assert store.inbox.count(PEOPLE) == 3
        assert list(store.inbox.waiting(PEOPLE, 2)) == [one, two]
        assert store.inbox.count("companies") == 0
        assert store.inbox.put("companies", [one]) == 1

    def test_a_delivery_that_was_taken_does_not_come_back(self, store: StateStore) -> None:
        one, two = Signal("1", left(1), NOW), Signal("2", left(2), NOW)
        store.inbox.put(PEOPLE, [one, two])
        commit(store, taken=("1", "unknown"))
        assert store.inbox.put(PEOPLE, [one]) == 0
        assert list(store.inbox.waiting(PEOPLE, 9)) == [two]

    def test_an_arrived_record_is_kept_whole(self, store: StateStore) -> None:
        fields = tuple(f"f{n}" for n in range(len(CELLS)))
        rows = Rows("web", "form", fields, ("0", "1"), (CELLS[::-1], CELLS), (None, "v"), (None, NOW), (None, "kim"))
        store.inbox.put(PEOPLE, [Arrived("1", Record(rows, 1), NOW)])
        store = self.reopen(store)
        [found] = store.inbox.waiting(PEOPLE, 9)
        assert isinstance(found, Arrived)
        record = found.record
        assert (found.id, found.at, record.ref) == ("1", NOW, rows.ref(1))
        assert tuple(record.get(field) for field in fields) == CELLS
        assert (record.version, record.stamp, record.author) == ("v", NOW, "kim")

    def test_a_delivery_that_is_the_record_is_kept_until_it_is_finished(self, store: StateStore) -> None:
        rows = Rows("web", "form", ("mail",), ("7",), (("a@b.example",),))
        ref = rows.ref(0)
        store.inbox.put(PEOPLE, [Arrived("d1", Record(rows, 0), NOW), Signal("d2", left(1), NOW)])
        commit(store, taken=("d1", "d2"))
        store = self.reopen(store)
        assert list(store.inbox.waiting(PEOPLE, 9)) == []
        assert store.inbox.count(PEOPLE) == 0
        assert store.inbox.of(PEOPLE, [ref, left(1)])[ref].record.get("mail") == "a@b.example"
        assert left(1) not in store.inbox.of(PEOPLE, [ref, left(1)])
        commit(store, finished=(ref,))
        assert not store.inbox.of(PEOPLE, [ref])
        assert store.inbox.put(PEOPLE, [Arrived("d1", Record(rows, 0), NOW)]) == 0
