"""Laws of links, aliases and cursors."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs
import pytest

from ...errors import StateError
from ...model import MISSING, Agreed, Deleted, Link, Merged, Missing, Moved, RecordRef, Standing, Unsettled
from ...reasons import Code, because
from ...roles import Progress, StateStore
from .values import CLOSED, HOUR, NOW, PEOPLE, UNKNOWN, Laws, commit, left, link, right, row, settled_at

JAPAN = dt.timezone(dt.timedelta(hours=9))

HOSTILE = ("", "\0", "a\0b", "\ud800", "'; DROP TABLE links; --", "名寄せ", "👩‍👩‍👧", "a" * 100_000, "A", "a")

CELLS = (
    "text", "", "\0", "\udcff", True, False, 0, -1, 10**30, 10**5000, None, Decimal("1.10"), Decimal("-0"),
    dt.date(2026, 2, 28), dt.datetime(2026, 2, 28, 1, 2, 3, 4, JAPAN), (), ("a", "ｱ"), left(), (left(), right()), MISSING,
)  # fmt: skip


class LinkLaws(Laws):
    """What a store promises of links."""

    def test_a_link_is_found_from_both_of_its_ends(self, store: StateStore) -> None:
        commit(store, links=(link(1), link(2)))
        assert store.links.of(PEOPLE, "left", [left(1), left(3)]) == {left(1): [link(1)]}
        assert store.links.of(PEOPLE, "right", [right(2)]) == {right(2): [link(2)]}
        assert store.links.of(PEOPLE, "left", [right(1)]) == {}

    def test_a_link_keeps_all_that_it_was_given(self, store: StateStore) -> None:
        fields = tuple(f"f{n}" for n in range(len(CELLS)))
        stamped = Agreed(fields, CELLS, {"f1": Unsettled(Decimal("2.50"), NOW)}, "v\ud800", NOW.astimezone(JAPAN))
        whole = link(
            left_agreed=stamped, right_agreed=Agreed.nothing(("Ｅメール",)), incarnation=2, strikes={"f3": 2},
            closed=because(Code.DUPLICATE_OF, of="crm:contact/9", at=NOW), shared=True, case="case 1",
        )  # fmt: skip
        commit(store, links=(whole,))
        store = self.reopen(store)
        [found] = store.links.of(PEOPLE, "left", [left()])[left()]
        assert found == whole
        assert [type(cell) for cell in found.left_agreed.cells] == [type(cell) for cell in CELLS]

    def test_a_link_keeps_what_waits_to_be_judged_whether_or_not_it_is_what_was_agreed(self, store: StateStore) -> None:
        cells = tuple(cell for cell in CELLS if not isinstance(cell, Missing))
        fields = tuple(f"f{n}" for n in range(len(cells)))
        agreed = {field: Unsettled(cell, NOW) for field, cell in zip(fields, cells, strict=True)}
        others = agreed | {"f0": Unsettled("TEXT", NOW), "f4": Unsettled(0, NOW), "f6": Unsettled(False, NOW + HOUR)}
        whole = link(left_agreed=Agreed(fields, cells, agreed), right_agreed=Agreed(fields, cells, others))
        for _ in range(2):
            commit(store, links=(whole,))
            store = self.reopen(store)
            [found] = store.links.of(PEOPLE, "left", [left()])[left()]
            for half, wanted in ((found.left_agreed, agreed), (found.right_agreed, others)):
                assert half.unsettled == wanted
                assert [type(half.unsettled[field].sent) for field in fields] == [
                    type(wanted[field].sent) for field in fields
                ]
            whole = found

    @pytest.mark.parametrize("id_", HOSTILE, ids=range(len(HOSTILE)))
    def test_any_text_may_be_an_id(self, store: StateStore, id_: str) -> None:
        others = [link(n, left=left(other)) for n, other in enumerate(HOSTILE) if other != id_]
        hostile = link("x" + id_, left=left(id_), left_agreed=settled_at(id_))
        commit(store, links=(hostile, *others), queue=(row(id_, state="held", version=id_),))
        store = self.reopen(store)
        assert store.links.of(PEOPLE, "left", [left(id_)]) == {left(id_): [hostile]}
        assert store.links.standing(PEOPLE, "left", [left(id_)])[left(id_)] == Standing(
            linked=True, settled_version=id_, parked="held", parked_version=id_
        )

    def test_live_links_come_before_closed_ones_and_older_before_newer(self, store: StateStore) -> None:
        links = (
            link(1, id="d", closed=CLOSED),
            link(2, id="c", right=right(), shared=True, since=NOW + HOUR),
            link(3, id="b", right=right(), shared=True),
            link(4, id="a", right=right(), closed=CLOSED, since=NOW - HOUR),
        )
        commit(store, links=links)
        found = store.links.of(PEOPLE, "right", [right()])[right()]
        assert [known.id for known in found] == ["b", "c", "a", "d"]

    @pytest.mark.parametrize("twin", [link(2, left=left(1)), link(2, right=right(1))], ids=["left", "right"])
    def test_two_live_links_of_one_record_are_refused_and_nothing_changes(self, store: StateStore, twin: Link) -> None:
        commit(store, links=(link(1),))
        with pytest.raises(StateError, match="two live links"):
            commit(store, links=(link(3), twin), queue=(row(9),))
        with pytest.raises(StateError, match="two live links"):
            commit(store, links=(attrs.evolve(twin, id="4"), attrs.evolve(twin, id="5")))
        assert list(store.links.all(PEOPLE)) == [link(1)]
        assert store.agenda.due(PEOPLE, NOW, 10) == type(store.agenda.due(PEOPLE, NOW, 10))()

    def test_a_shared_right_record_may_have_several_links(self, store: StateStore) -> None:
        commit(store, links=(link(1, shared=True), link(2, right=right(1), shared=True)))
        assert len(store.links.of(PEOPLE, "right", [right(1)])[right(1)]) == 2
        with pytest.raises(StateError, match="two live links"):
            commit(store, links=(link(3, left=left(1), shared=True),))

    def test_a_closed_link_claims_nothing(self, store: StateStore) -> None:
        commit(store, links=(link(1, closed=CLOSED), link(2, left=left(1), right=right(1))))
        commit(store, links=(link(3, left=left(1), right=right(1), closed=CLOSED),))
        assert store.links.count(PEOPLE) == 1

    def test_links_may_trade_their_records_in_one_commit(self, store: StateStore) -> None:
        commit(store, links=(link(1), link(2)))
        commit(store, links=(link(1, left=left(2)), link(2, left=left(1))))
        assert store.links.of(PEOPLE, "left", [left(1)])[left(1)][0].right == right(2)
        commit(store, links=(link(3, left=left(1), right=right(2)), link(2, closed=CLOSED)))
        assert store.links.of(PEOPLE, "left", [left(1)])[left(1)][0].id == "link-3"

    def test_a_link_that_moves_is_no_longer_found_at_its_old_record(self, store: StateStore) -> None:
        commit(store, links=(link(1),))
        commit(store, links=(link(1, left=left(7)),))
        assert store.links.of(PEOPLE, "left", [left(1)]) == {}
        assert store.links.count(PEOPLE) == 1

    def test_live_links_are_counted_through_every_change(self, store: StateStore) -> None:
        commit(store, links=tuple(link(n) for n in range(4)))
        commit(store, links=(link(0, closed=CLOSED), link(1, left=left(9)), link(2, since=NOW + HOUR)))
        assert store.links.count(PEOPLE) == 3
        commit(store, links=(link(0), link(3, closed=CLOSED), link(3, closed=CLOSED)))
        assert store.links.count(PEOPLE) == 3
        store = self.reopen(store)
        assert store.links.count(PEOPLE) == 3

    def test_all_links_come_in_the_order_of_their_ids(self, store: StateStore) -> None:
        links = [link(f"{n:04}", closed=CLOSED if n % 3 else None) for n in range(1203)]
        commit(store, links=tuple(reversed(links)))
        assert list(store.links.all(PEOPLE)) == links

    def test_pipelines_know_nothing_of_each_other(self, store: StateStore) -> None:
        commit(store, links=(link(1),))
        commit(store, "companies", links=(link(1, left=left(5)),))
        assert store.links.of("companies", "left", [left(1)]) == {}
        assert store.links.of(PEOPLE, "left", [left(1)]) == {left(1): [link(1)]}
        assert store.links.standing("companies", "left", [left(1)]) == {}


class StandingLaws(Laws):
    """What a store promises of standing, aliases and cursors."""

    def test_standing_tells_links_versions_and_what_is_parked(self, store: StateStore) -> None:
        commit(
            store,
            links=(
                link(1, left_agreed=settled_at("7"), right_agreed=settled_at("9")),
                link(2, closed=CLOSED),
            ),
            queue=(row(1), row(3, state="quarantined", version="5"), row(2, "right", state="disputed")),
        )
        assert store.links.standing(PEOPLE, "left", [left(n) for n in range(5)]) == {
            left(1): Standing(linked=True, settled_version="7"),
            left(2): Standing(closed=True),
            left(3): Standing(parked="quarantined", parked_version="5"),
        }
        assert store.links.standing(PEOPLE, "right", [right(2), right(1)]) == {
            right(1): Standing(linked=True, settled_version="9"),
            right(2): Standing(closed=True, parked="disputed"),
        }

    def test_a_closed_link_does_not_count_beside_a_live_one(self, store: StateStore) -> None:
        commit(store, links=(link(1, closed=CLOSED), link(2, left=left(1), right=right(1))))
        assert store.links.standing(PEOPLE, "left", [left(1)]) == {left(1): Standing(linked=True)}

    @pytest.mark.parametrize(("versions", "settled"), [(("4", "4"), "4"), (("4", "5"), None), (("4", None), None)])
    def test_a_shared_record_is_settled_where_all_its_links_are(
        self, store: StateStore, versions: tuple[str, str | None], settled: str | None
    ) -> None:
        commit(
            store,
            links=tuple(
                link(n, right=right(), shared=True, right_agreed=settled_at(version))
                for n, version in enumerate(versions)
            ),
        )
        [found] = store.links.standing(PEOPLE, "right", [right()]).values()
        assert found == Standing(linked=True, settled_version=settled)

    def test_thousands_of_records_may_be_asked_for_at_once(self, store: StateStore) -> None:
        commit(store, links=tuple(link(n) for n in range(0, 5000, 2)))
        refs = [left(n) for n in range(5000)]
        assert list(store.links.standing(PEOPLE, "left", refs)) == refs[::2]
        assert list(store.links.of(PEOPLE, "left", refs)) == refs[::2]

    def test_a_woken_record_is_no_longer_parked(self, store: StateStore) -> None:
        commit(store, queue=(row(1, state="held"),))
        commit(store, wake=(("left", left(1)),))
        assert store.links.standing(PEOPLE, "left", [left(1)]).get(left(1), UNKNOWN) == UNKNOWN

    def test_aliases_lead_to_the_end_of_their_chain_over_kinds(self, store: StateStore) -> None:
        contact = RecordRef("sfa", "Contact", "c")
        commit(store, departures=(("right", Merged(right(1), right(2))),))
        commit(store, departures=(("right", Moved(right(2), contact)), ("right", Deleted(right(5)))))
        refs = [right(1), right(2), right(5), contact]
        assert store.links.followed(PEOPLE, "right", refs) == {right(1): contact, right(2): contact}
        assert store.links.followed(PEOPLE, "left", refs) == {}

    def test_what_is_told_twice_does_not_cut_a_chain(self, store: StateStore) -> None:
        first, second = ("left", Merged(left(1), left(2))), ("left", Merged(left(2), left(3)))
        commit(store, departures=(first, second))
        commit(store, departures=(first, ("left", Merged(left(9), left(9)))))
        assert store.links.followed(PEOPLE, "left", [left(1), left(9)]) == {left(1): left(3)}

    def test_a_record_that_comes_back_ends_the_circle(self, store: StateStore) -> None:
        circle = [(1, 2), (2, 3), (3, 1)]
        commit(store, departures=tuple(("left", Moved(left(old), left(new))) for old, new in circle))
        assert store.links.followed(PEOPLE, "left", [left(3), left(2), left(1)]) == {left(3): left(1), left(2): left(1)}

    def test_a_cursor_is_what_was_committed_last(self, store: StateStore) -> None:
        assert store.links.progress(PEOPLE, "left", "contact") is None
        commit(
            store, progress={("left", "contact"): Progress("a", filled=False), ("right", "Lead"): Progress("", True)}
        )
        commit(store, progress={("left", "contact"): Progress("b\ud800\0", filled=True)})
        store = self.reopen(store)
        assert store.links.progress(PEOPLE, "left", "contact") == Progress("b\ud800\0", filled=True)
        assert store.links.progress(PEOPLE, "right", "Lead") == Progress("", filled=True)
        assert store.links.progress("companies", "left", "contact") is None
