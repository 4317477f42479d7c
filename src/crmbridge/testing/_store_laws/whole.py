"""Laws of the whole store: commits, tenants, forgetting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from ...credentials import Secret
from ...errors import LeaseHeld, StateError
from ...flow import RateBudget
from ...model import MISSING, Arrived, Merged, Moved, Record, RecordRef, Rows, Schema, Side, Signal, Standing, other
from ...protocols import Notice
from ...reasons import Code, Reason, because
from ...roles import Delta, Keyed, Progress, QueueRow, Ruling, Start, StateStore, StoredSchema, Token
from .values import (
    ACCOUNT,
    CLOSED,
    HOUR,
    NOW,
    PEOPLE,
    Laws,
    ask,
    commit,
    create,
    decision,
    due,
    key,
    left,
    link,
    noted,
    promise,
    right,
    row,
)

EVERYTHING = Delta(
    queue=(row(1),),
    links=(link(1),),
    departures=(("left", Merged(left(8), left(1))),),
    progress={("left", "contact"): Progress("cursor", filled=True)},
    promised=(promise(1),),
    journal=(noted(1),),
    run="run",
    decisions=(decision(1, actions=(create(1),)),),
    planned=(((key("kim"),),),),
    taken=("waits",),
    objection=because(Code.EMPTIED),
    keys=(Keyed("right", right(1), (key("kim"),)),),
    schemas=(("right", StoredSchema(Schema("Lead", {}), NOW)),),
    starts=(Start("key", NOW),),
    notices=(Notice("notice", left(1), because(Code.BUSY)),),
)


def all_that_is_known(store: StateStore) -> list[object]:
    """Ask every role what it knows of the records of the laws."""
    refs = [left(1), right(1), left(8), left(5), right(5)]
    return [
        list(store.links.all(PEOPLE)),
        [dict(store.links.standing(PEOPLE, side, refs)) for side in ("left", "right")],
        dict(store.links.followed(PEOPLE, "left", refs)),
        store.links.progress(PEOPLE, "left", "contact"),
        store.links.count(PEOPLE),
        list(store.outbox.unsettled(PEOPLE, 9)),
        dict(store.outbox.holding(PEOPLE, refs)),
        [list(found) for found in store.outbox.creating(PEOPLE, "run", [ask((key("kim"),))])],
        dict(store.outbox.counts("run")),
        list(store.outbox.rows("run")),
        list(store.outbox.notices(9)),
        store.inbox.count(PEOPLE),
        [list(found) for found in store.directory.find(PEOPLE, "right", [ask((key("kim"),))])],
        store.directory.schema(PEOPLE, "right", "Lead"),
        list(store.budgets.starts(PEOPLE, NOW)),
        list(store.journal.run("run")),
        list(store.quarantine.rows(PEOPLE)),
        due(store),
        dict(store.rulings.of(PEOPLE, refs)),
        store.rulings.objection(PEOPLE),
    ]


class CommitLaws(Laws):
    """What a store promises of the whole of it."""

    def test_a_commit_that_is_refused_changes_nothing_in_any_role(self, store: StateStore) -> None:
        commit(store, links=(link(5),))
        store.inbox.put(PEOPLE, [Signal("waits", left(1), NOW)])
        before = all_that_is_known(store)
        refused = attrs.evolve(EVERYTHING, links=(link(1), link(6, left=left(5))))
        fence = store.leases.take("p", "one", NOW, HOUR)
        with pytest.raises(StateError):
            store.commit(PEOPLE, refused, fence)
        assert all_that_is_known(store) == before
        store.commit(PEOPLE, EVERYTHING, fence)
        after = all_that_is_known(store)
        changed = [old != new for old, new in zip(before, after, strict=True)]
        assert [n for n, differs in enumerate(changed) if not differs] == [16, 18], "nothing was parked, nobody ruled"

    def test_what_was_committed_is_there_when_the_store_is_opened_again(self, store: StateStore) -> None:
        fence = store.leases.take("p", "one", NOW, HOUR)
        store.commit(PEOPLE, EVERYTHING, fence)
        known = all_that_is_known(store)
        store = self.reopen(store)
        assert all_that_is_known(store) == known
        with pytest.raises(LeaseHeld):
            store.leases.take("p", "two", NOW, HOUR)
        store.commit(PEOPLE, Delta(), fence)

    def test_an_empty_delta_is_committed(self, store: StateStore) -> None:
        commit(store)
        assert all_that_is_known(store)[0] == []

    def test_tenants_know_nothing_of_each_other(self, store: StateStore) -> None:
        acme, empty = store.tenant("acme"), all_that_is_known(store)
        commit(acme, **{field.name: getattr(EVERYTHING, field.name) for field in attrs.fields(Delta)})
        acme.inbox.put(PEOPLE, [Signal("1", left(1), NOW)])
        acme.rulings.add(PEOPLE, Ruling(left(1), "left", "kim", NOW))
        acme.tokens.save("sfa", Token(Secret("a")))
        acme.budgets.hold(ACCOUNT, "default", 99.0)
        acme.agenda.enable(PEOPLE, NOW)
        acme.leases.take("laws", "acme", NOW, HOUR)
        acme.forget([left(4)])
        for part in (store, store.tenant("emca"), acme.tenant("")):
            assert all_that_is_known(part) == empty
            assert part.tokens.get("sfa") is None
            assert part.budgets.spend(ACCOUNT, "default", RateBudget(9.0), 1, 1.0) == 0
            assert part.agenda.enabled_since(PEOPLE) is None
            assert part.links.standing(PEOPLE, "left", [left(4)]) == {}
            part.leases.release(part.leases.take("laws", "other", NOW, HOUR))
        assert len(all_that_is_known(store.tenant("acme"))) == len(empty)
        assert store.tenant("acme").links.count(PEOPLE) == 1

    def test_a_store_may_be_closed_twice(self, store: StateStore) -> None:
        store.tenant("acme").close()
        commit(store, queue=(row(1),))
        store.close()
        store.close()


class ForgetLaws(Laws):
    """What a store promises of the people it forgets."""

    @pytest.mark.parametrize("asked", [left(1), right(1)], ids=["left", "right"])
    def test_nothing_is_kept_of_a_forgotten_record_and_its_counterpart(
        self, store: StateStore, asked: RecordRef
    ) -> None:
        rows = Rows("crm", "contact", ("email",), ("1",), (("kim@x.test",),))
        store.inbox.put(PEOPLE, [Arrived("a", Record(rows, 0), NOW), Signal("s", right(1), NOW)])
        commit(store, **{field.name: getattr(EVERYTHING, field.name) for field in attrs.fields(Delta)})
        store.rulings.add(PEOPLE, Ruling(left(1), "left", "kim", NOW))
        assert store.forget([asked]) == 1
        store = self.reopen(store)
        assert store.links.count(PEOPLE) == 0
        assert store.links.standing(PEOPLE, "left", [left(1)]) == {left(1): Standing(closed=True)}
        assert store.links.standing(PEOPLE, "right", [right(1)]) == {right(1): Standing(closed=True)}
        assert due(store) == []
        empty: list[object] = [
            list(store.links.all(PEOPLE)), list(store.outbox.unsettled(PEOPLE, 9)), list(store.outbox.rows("run")),
            list(store.outbox.notices(9)), list(store.inbox.waiting(PEOPLE, 9)), list(store.journal.of(PEOPLE, left(1))),
            list(store.directory.find(PEOPLE, "right", [ask((key("kim"),))])[0]),
            list(store.outbox.creating(PEOPLE, "run", [ask((key("kim"),), (key("1@x.test"),))])[0]),
        ]  # fmt: skip
        assert empty == [[]] * len(empty)
        mappings = [
            store.outbox.holding(PEOPLE, [left(1), right(1)]), store.rulings.of(PEOPLE, [left(1)]),
            store.links.followed(PEOPLE, "left", [left(8)]), store.outbox.counts("run"),
        ]  # fmt: skip
        assert all(not mapping for mapping in mappings)
        assert store.inbox.put(PEOPLE, [Signal("a", left(1), NOW)]) == 0, "the delivery's id is still known"

    def test_the_journal_still_counts_the_writes_but_names_and_quotes_nobody(self, store: StateStore) -> None:
        facts = Reason(Code.MATCHED, {"with": "1"})
        commit(store, links=(link(1),), journal=(noted(1, because=facts), noted(2)))
        store.forget([left(1)])
        emptied, kept = store.journal.run("run")
        assert kept == noted(2)
        assert (emptied.verb, emptied.because, emptied.version) == ("create", Reason(Code.MATCHED), None)
        assert {cell for field in emptied.fields for cell in (field.left, field.right, field.sent)} == {MISSING}
        assert emptied.ref.id not in ("1", right(1).id)
        assert emptied.origin.id != "1"
        assert (emptied.ref.kind, emptied.origin.kind) == ("Lead", "contact")

    def test_a_forgotten_record_that_comes_again_has_a_closed_link(self, store: StateStore) -> None:
        commit(store, links=(link(1),))
        store.forget([left(1), left(2)])
        places: list[tuple[Side, RecordRef]] = [("left", left(1)), ("right", right(1)), ("left", left(2))]
        for side, ref in places:
            [found] = store.links.of(PEOPLE, side, [ref])[ref]
            assert found.closed == Reason(Code.FORGOTTEN)
            assert found.ref(side) == ref
            assert found.ref(other(side)) not in (left(1), right(1))
        assert store.links.standing("companies", "left", [left(1)]) == {left(1): Standing(closed=True)}

    def test_a_record_that_others_still_hold_stays(self, store: StateStore) -> None:
        commit(
            store,
            links=(link(1, shared=True), link(2, right=right(1), shared=True)),
            keys=(Keyed("right", right(1), (key("acme"),)),),
            journal=(noted(1), noted(1, origin=left(2))),
        )
        assert store.forget([left(1)]) == 1
        assert store.links.standing(PEOPLE, "right", [right(1)]) == {right(1): Standing(linked=True)}
        assert list(store.directory.find(PEOPLE, "right", [ask((key("acme"),))])[0]) == [right(1)]
        emptied, kept = store.journal.run("run")
        assert (emptied.ref, kept) == (right(1), noted(1, origin=left(2)))
        assert store.forget([left(2)]) == 1
        assert store.links.standing(PEOPLE, "right", [right(1)]) == {right(1): Standing(closed=True)}

    def test_a_counterpart_that_another_pipeline_still_holds_stays(self, store: StateStore) -> None:
        commit(store, links=(link(1),))
        commit(store, "companies", links=(link(1, left=left(7)),))
        store.forget([left(1)])
        assert store.links.standing("companies", "right", [right(1)]) == {right(1): Standing(linked=True)}
        assert store.links.count("companies") == 1
        assert store.links.count(PEOPLE) == 0

    @pytest.mark.parametrize(
        "known",
        [
            lambda: {"links": (link(1, closed=CLOSED),)},
            lambda: {"queue": (row(1, state="held"),)},
            lambda: {"promised": (promise(1),)},
            lambda: {"journal": (noted(1),)},
            lambda: {"run": "r", "decisions": (decision(1),)},
            lambda: {"run": "r", "decisions": (decision(2, counterpart=left(1), side="right"),)},
            lambda: {"keys": (Keyed("left", left(1), (key("kim"),)),)},
            lambda: {"departures": (("left", Merged(left(1), left(3))),)},
            lambda: {"notices": (Notice("n", left(1), CLOSED),)},
        ],
    )
    def test_it_is_told_how_many_of_the_records_were_known(
        self, store: StateStore, known: Callable[[], dict[str, Any]]
    ) -> None:
        commit(store, **known())
        assert store.forget([left(1), left(1), left(99)]) == 1
        assert store.forget([left(1), left(99)]) == 0

    def test_a_record_is_forgotten_under_every_ref_that_it_has_had(self, store: StateStore) -> None:
        moves: Any = (("right", Moved(right(1), right(2))), ("right", Merged(right(2), right(3))))
        commit(store, departures=moves, links=(link(1, right=right(3)), link(2, right=right(2), closed=CLOSED)))
        commit(store, journal=(noted(1, origin=left(77)), noted(4)))
        assert store.forget([left(1)]) == 1
        emptied, kept = store.journal.run("run")
        assert kept == noted(4)
        assert {cell for field in emptied.fields for cell in (field.left, field.right, field.sent)} == {MISSING}
        gone = [right(1), right(2), right(3)]
        assert store.links.standing(PEOPLE, "right", gone) == dict.fromkeys(gone, Standing(closed=True))
        assert store.links.standing(PEOPLE, "left", [left(2)]) == {left(2): Standing(closed=True)}
        assert list(store.links.all(PEOPLE)) == []

    def test_what_a_forgotten_record_has_become_is_kept_out_as_it_is(self, store: StateStore) -> None:
        contact = RecordRef("sfa", "Contact", "c")
        commit(store, links=(link(1),))
        store.forget([left(1)])
        told = Keyed("right", contact, (key("kim"),))
        store.rulings.add(PEOPLE, Ruling(contact, "left", "kim", NOW))
        commit(store, keys=(told,), queue=(QueueRow("right", contact),))
        [taken] = due(store)
        commit(store, queue=(attrs.evolve(taken, state="disputed", because=CLOSED, version="7"),))
        commit(store, departures=(("right", Moved(right(1), contact)),), keys=(told,))
        store = self.reopen(store)
        assert store.links.standing(PEOPLE, "right", [contact]) == {contact: Standing(closed=True)}
        [found] = store.links.of(PEOPLE, "right", [contact])[contact]
        assert found.closed == Reason(Code.FORGOTTEN)
        assert list(store.directory.find(PEOPLE, "right", [ask((key("kim"),))])[0]) == []
        assert store.rulings.of(PEOPLE, [contact]) == {}
        assert store.links.followed(PEOPLE, "right", [right(1)]) == {}
        assert [(one.ref, one.state, one.because, one.version) for one in due(store)] == [
            (contact, "ready", None, None)
        ], "it is looked at once more, and parked no longer"

    def test_what_was_merged_into_a_forgotten_record_is_kept_out_too(self, store: StateStore) -> None:
        store.forget([right(1)])
        commit(store, departures=(("right", Merged(right(2), right(1))), ("right", Merged(right(3), right(2)))))
        gone = [right(1), right(2), right(3)]
        assert store.links.standing(PEOPLE, "right", gone) == dict.fromkeys(gone, Standing(closed=True))
        assert store.links.followed(PEOPLE, "right", gone) == {}

    def test_a_record_that_a_link_holds_stays_whatever_forgotten_one_is_merged_into_it(self, store: StateStore) -> None:
        keyed = Keyed("right", right(2), (key("kim"),))
        commit(store, links=(link(2), link(3, closed=CLOSED)), keys=(keyed,))
        store.forget([right(1)])
        told: Any = (("right", Merged(right(1), right(2))), ("right", Merged(right(1), right(3))))
        commit(store, departures=told)
        assert store.links.standing(PEOPLE, "right", [right(2)]) == {right(2): Standing(linked=True)}
        assert store.links.of(PEOPLE, "right", [right(3)])[right(3)] == [link(3, closed=CLOSED)]
        assert list(store.directory.find(PEOPLE, "right", [ask((key("kim"),))])[0]) == [right(2)]
        assert store.links.followed(PEOPLE, "right", [right(1)]) == {}, "nothing tells what a forgotten record was"

    def test_only_a_live_link_is_told_that_its_record_was_merged_into_a_forgotten_one(self, store: StateStore) -> None:
        commit(store, links=(link(1),))
        store.forget([right(2)])
        told = ("right", Merged(right(1), right(2)))
        commit(store, departures=(told,))
        assert store.links.followed(PEOPLE, "right", [right(1)]) == {right(1): right(2)}
        commit(store, links=(link(1, closed=Reason(Code.FORGOTTEN)),), departures=(told,))
        assert store.links.followed(PEOPLE, "right", [right(1)]) == {}
        assert store.links.of(PEOPLE, "right", [right(1)])[right(1)] == [link(1, closed=Reason(Code.FORGOTTEN))]

    def test_the_directory_takes_no_keys_of_a_forgotten_record(self, store: StateStore) -> None:
        commit(store, links=(link(1),), keys=(Keyed("right", right(1), (key("kim"),)),))
        store.forget([left(1)])
        commit(store, keys=(Keyed("right", right(1), (key("kim"),)), Keyed("right", right(2), (key("lee"),))))
        found = store.directory.find(PEOPLE, "right", [ask((key("kim"),)), ask((key("lee"),))])
        assert [list(refs) for refs in found] == [[], [right(2)]]

    def test_two_records_of_one_link_are_both_known(self, store: StateStore) -> None:
        commit(store, links=(link(1),))
        assert store.forget([left(1), right(1)]) == 2
        assert store.links.count(PEOPLE) == 0
