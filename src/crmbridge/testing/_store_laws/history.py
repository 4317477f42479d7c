"""Laws of the age of history: what goes when it is old, and what never does."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from ...errors import FenceStale
from ...model import Merged, Record, Rows, Signal
from ...model.deliveries import Arrived
from ...protocols import Notice
from ...roles import Delta, Ruling, StateStore
from .values import CLOSED, HOUR, NOW, PEOPLE, Laws, ask, commit, create, decision, key, left, link, noted, right, row
from .whole import EVERYTHING, all_that_is_known

DAY = dt.timedelta(days=1)


def ran(store: StateStore, run: str, at: dt.datetime, *people: int, pipeline: str = PEOPLE) -> None:
    """Let a run decide about people and write."""
    commit(
        store, pipeline, run=run, at=at, decisions=tuple(decision(n) for n in people),
        journal=tuple(noted(n, run=run, at=at) for n in people),
    )  # fmt: skip


def known(store: StateStore, run: str) -> tuple[int, int]:
    """Count what is told of a run by its name: its decisions, and its writes."""
    return sum(store.outbox.counts(run).values()), len(list(store.journal.run(run)))


def cut(store: StateStore, since: dt.datetime, pipeline: str = PEOPLE) -> int:
    """Keep history from an instant on; tell how many commits it took."""
    commits = 0
    while store.journal.ended_before(pipeline, since):
        commit(store, pipeline, kept_since=since)
        commits += 1
    return commits


class HistoryLaws(Laws):
    """What a store promises of history that is kept for a while."""

    def test_what_ended_before_an_instant_goes_and_all_else_stays(self, store: StateStore) -> None:
        for n, run in enumerate(("r1", "p2", "r3")):
            ran(store, run, NOW + n * DAY, 1, 2)
        assert store.journal.kept_since(PEOPLE) is None
        assert not store.journal.ended_before(PEOPLE, NOW)
        assert cut(store, NOW + 2 * DAY) == 1
        store = self.reopen(store)
        assert [known(store, run) for run in ("r1", "p2", "r3")] == [(0, 0), (0, 0), (2, 2)]
        assert list(store.journal.of(PEOPLE, left(1))) == [noted(1, run="r3", at=NOW + 2 * DAY)]
        assert list(store.journal.decided(PEOPLE, left(1), 9)) == [("r3", decision(1))]
        assert store.journal.kept_since(PEOPLE) == NOW + 2 * DAY
        assert not store.journal.ended_before(PEOPLE, NOW + 2 * DAY)

    def test_nothing_but_history_has_an_age(self, store: StateStore) -> None:
        rows = Rows("crm", "contact", ("email",), ("1",), (("kim@x.test",),))
        store.inbox.put(PEOPLE, [Arrived("record", Record(rows, 0), NOW), Signal("done", left(2), NOW)])
        everything = attrs.evolve(EVERYTHING, at=NOW, taken=("done",), run="", decisions=(), journal=(), planned=())
        commit(store, **{field.name: getattr(everything, field.name) for field in attrs.fields(Delta)})
        commit(store, links=(link(2, closed=CLOSED), link(3)), queue=(row(7),), at=NOW)
        commit(store, queue=(row(7, sequence=2, state="quarantined"), row(9, state="disputed")), at=NOW)
        commit(store, departures=(("right", Merged(right(7), right(8))),), notices=(Notice("n", left(9), CLOSED),))
        store.rulings.add(PEOPLE, Ruling(left(9), "left", "kim", NOW))
        store.forget([left(3)])
        before = all_that_is_known(store)
        ran(store, "old", NOW, 4)
        ran(store, "new", NOW + 9 * DAY, 4)
        cut(store, NOW + 5 * DAY)
        store = self.reopen(store)
        assert (known(store, "old"), known(store, "new")) == ((0, 0), (1, 1))
        assert all_that_is_known(store) == before
        assert store.links.standing(PEOPLE, "left", [left(3)])[left(3)].closed
        assert store.links.of(PEOPLE, "left", [left(2)])[left(2)][0].closed == CLOSED
        assert store.inbox.put(PEOPLE, [Signal("done", left(2), NOW), Signal("record", left(1), NOW)]) == 0
        assert store.rulings.of(PEOPLE, [left(9)])[left(9)].by == "kim"

    def test_a_long_run_goes_bit_by_bit_and_is_unknown_by_name_from_the_first(self, store: StateStore) -> None:
        creates = tuple(decision(n, actions=(create(n),)) for n in range(1_200))
        keys = tuple(((key(f"{n}"),),) for n in range(1_200))
        rows = tuple(noted(n, run="plan") for n in range(2_500))
        commit(store, run="plan", decisions=creates, planned=keys, journal=rows, at=NOW)
        ran(store, "next", NOW + DAY, 1)
        questions = [ask((key("7"),)), ask((key("1111"),))]
        assert [len(found) for found in store.outbox.creating(PEOPLE, "plan", questions)] == [1, 1]
        commit(store, kept_since=NOW + DAY)
        assert known(store, "plan") == (0, 0)
        assert list(store.outbox.rows("plan")) == []
        assert store.outbox.planned("plan", [left(7)]) == {}
        assert [len(found) for found in store.outbox.creating(PEOPLE, "plan", questions)] == [0, 0]
        cut(store, NOW + DAY)
        assert [list(store.journal.of(PEOPLE, left(n))) for n in (0, 2_499)] == [[], []]
        assert list(store.journal.decided(PEOPLE, left(1_199), 9)) == []
        assert known(store, "next") == (1, 1)

    def test_the_latest_rows_of_a_run_tell_its_age_and_what_came_after_it_waits(self, store: StateStore) -> None:
        ran(store, "r1", NOW, 1)
        ran(store, "r2", NOW, 2)
        ran(store, "r3", NOW, 3)
        ran(store, "r2", NOW + 3 * DAY, 4)
        ran(store, "r2", NOW + 2 * DAY, 5)
        cut(store, NOW + 3 * DAY)
        assert [known(store, run) for run in ("r1", "r2", "r3")] == [(0, 0), (3, 3), (1, 1)]
        cut(store, NOW + 4 * DAY)
        assert [known(store, run) for run in ("r1", "r2", "r3")] == [(0, 0)] * 3

    def test_what_was_put_without_a_time_is_kept(self, store: StateStore) -> None:
        commit(store, run="r1", decisions=(decision(1),), journal=(noted(1, run="r1"),))
        ran(store, "r2", NOW, 2)
        cut(store, NOW + DAY)
        assert [known(store, run) for run in ("r1", "r2")] == [(1, 1), (0, 0)]

    def test_other_pipelines_and_tenants_keep_their_own(self, store: StateStore) -> None:
        acme = store.tenant("acme")
        ran(store, "r1", NOW, 1)
        ran(store, "c1", NOW, 1, pipeline="companies")
        ran(acme, "r1", NOW, 1)
        cut(store, NOW + DAY)
        assert [known(store, "r1"), known(store, "c1"), known(acme, "r1")] == [(0, 0), (1, 1), (1, 1)]
        assert [store.journal.kept_since("companies"), acme.journal.kept_since(PEOPLE)] == [None, None]

    def test_the_instant_never_goes_back(self, store: StateStore) -> None:
        for days in (3, 1, 2):
            commit(store, kept_since=NOW + days * DAY)
        store = self.reopen(store)
        assert store.journal.kept_since(PEOPLE) == NOW + 3 * DAY

    def test_nothing_goes_without_the_lease(self, store: StateStore) -> None:
        ran(store, "r1", NOW, 1)
        fence = store.leases.take("p", "one", NOW, HOUR)
        store.leases.release(fence)
        with pytest.raises(FenceStale):
            store.commit(PEOPLE, Delta(kept_since=NOW + DAY), fence)
        assert (known(store, "r1"), store.journal.kept_since(PEOPLE)) == ((1, 1), None)

    def test_a_run_that_is_gone_may_come_again(self, store: StateStore) -> None:
        ran(store, "r1", NOW, 1)
        cut(store, NOW + DAY)
        ran(store, "r1", NOW + 2 * DAY, 2)
        assert known(store, "r1") == (1, 1)
        assert list(store.journal.of(PEOPLE, left(1))) == []
