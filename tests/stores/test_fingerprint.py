"""A store of fingerprints by the laws of a store: what is read equals what was written, though no value is kept."""

import attrs
import pytest

from crmbridge.model import MISSING, Agreed, Unsettled
from crmbridge.model.sealed import Sealed
from crmbridge.plan import Answers
from crmbridge.reasons import Code, because
from crmbridge.roles import Ruling
from crmbridge.stores import FingerprintStore, MemoryStore, SqliteStore
from crmbridge.stores._sealing import Sealer
from crmbridge.testing._store_laws.links import CELLS
from crmbridge.testing._store_laws.values import HOUR, NOW, PEOPLE, commit, left, link, promise, row
from crmbridge.testing.store_suite import StoreSuite

KEY = b"a key from outside, 32 bytes or more"


class Fingerprints(StoreSuite):
    # It keeps no delivery that is a record, and so says nothing of what becomes of one.
    test_an_arrived_record_is_kept_whole = None
    test_a_delivery_that_is_the_record_is_kept_until_it_is_finished = None
    test_nothing_is_kept_of_a_forgotten_record_and_its_counterpart = None
    test_nothing_but_history_has_an_age = None
    # Comparison keys come back as hashes, and cells as what is equal to them.
    test_unsettled_intents_come_oldest_first = None
    test_an_intent_is_put_by_its_key_until_it_is_settled = None
    test_an_intent_holds_the_record_it_writes_and_the_one_it_was_decided_from = None
    test_a_link_keeps_all_that_it_was_given = None
    test_a_link_keeps_what_waits_to_be_judged_whether_or_not_it_is_what_was_agreed = None

    def test_an_intent_comes_back_with_hashed_keys_and_equal_values(self, store):
        seal = Sealer(KEY)
        commit(store, promised=(promise(2), promise(1)))
        keys = [tuple(map(seal.key, promise(n).keys[0])) for n in (1, 2)]
        wanted = [attrs.evolve(promise(n), keys=(hashed,)) for n, hashed in zip((1, 2), keys, strict=True)]
        found = list(self.reopen(store).outbox.unsettled(PEOPLE, 9))
        assert found == wanted
        assert dict(store.outbox.holding(PEOPLE, [left(1)])) == {left(1): wanted[0]}
        assert isinstance(found[0].action.values["Email"], Sealed)
        commit(store, settled=("key-1", "key-2"))
        assert list(store.outbox.unsettled(PEOPLE, 9)) == []

    def test_what_waits_to_be_judged_is_equal_to_what_was_sent_whether_or_not_it_was_agreed(self, store):
        cells = tuple(cell for cell in CELLS if cell is not MISSING)
        fields = tuple(f"f{n}" for n in range(len(cells)))
        agreed = {field: Unsettled(cell, NOW) for field, cell in zip(fields, cells, strict=True)}
        others = agreed | {"f0": Unsettled("TEXT", NOW), "f4": Unsettled(0, NOW), "f6": Unsettled(False, NOW + HOUR)}
        whole = link(left_agreed=Agreed(fields, cells, agreed), right_agreed=Agreed(fields, cells, others))
        for _ in range(2):
            commit(store, links=(whole,))
            [whole] = self.reopen(store).links.of(PEOPLE, "left", [left()])[left()]
            assert (whole.left_agreed.unsettled, whole.right_agreed.unsettled) == (agreed, others)

    def test_cells_of_every_sort_are_equal_to_what_is_kept_of_them(self, store):
        fields = tuple(f"f{n}" for n in range(len(CELLS)))
        whole = attrs.evolve(link(), left_agreed=attrs.evolve(link().left_agreed, fields=fields, cells=CELLS))
        commit(store, links=(whole,))
        [found] = self.reopen(store).links.of(PEOPLE, "left", [left()])[left()]
        assert found == whole
        for one, kept in enumerate(found.left_agreed.cells):
            for other, cell in enumerate(CELLS):
                assert (kept == cell) == (CELLS[one] == cell), (one, other)
        assert MISSING not in [cell for cell in found.left_agreed.cells if isinstance(cell, Sealed)]


class TestFingerprintsInMemory(Fingerprints):
    @pytest.fixture
    def store(self):
        return FingerprintStore(MemoryStore(), key=KEY)


class TestFingerprintsInAFile(Fingerprints):
    @pytest.fixture
    def store(self, tmp_path):
        self.path = tmp_path / "state.db"
        self.opened = [FingerprintStore(SqliteStore(self.path), key=KEY)]
        yield self.opened[0]
        for store in self.opened:
            store.close()

    def reopen(self, store):
        self.opened.append(FingerprintStore(SqliteStore(self.path), key=KEY))
        return self.opened[-1]


def test_what_a_person_is_asked_about_values_is_kept_as_a_keyed_fingerprint_and_answered_by_it():
    inner = MemoryStore()
    store = FingerprintStore(inner, key=KEY)
    about = Answers(("person", "lead"))
    question, another = (about.of_field(because(Code.BOTH_CHANGED), ("Kim", name), ()) for name in ("Lee", "Park"))
    commit(store, queue=(row(1, state="disputed", because=because(Code.BOTH_CHANGED), question=question),))
    [kept] = store.quarantine.rows(PEOPLE)
    assert question not in repr(inner.quarantine.rows(PEOPLE))
    store.rulings.add(PEOPLE, Ruling(left(1), "left", "kim", NOW, kept.question))
    asked = store.rulings.of(PEOPLE, [left(1)])[left(1)].question
    assert (asked == question, asked == another, asked == kept.question) == (True, False, True)
    commit(store, queue=(attrs.evolve(kept, sequence=2),))
    assert store.quarantine.rows(PEOPLE)[0].question == kept.question


def test_what_swings_between_two_values_is_told_by_keyed_fingerprints_alone():
    inner = MemoryStore()
    store = FingerprintStore(inner, key=KEY)
    told = {"email|Email": 2, "email|Email@": 77, "email|Email@@": 78}
    commit(store, links=(link(strikes=told),))
    [known], [kept] = store.links.all(PEOPLE), inner.links.all(PEOPLE)
    assert dict(known.strikes) == told
    assert [kept.strikes[label] for label in told if "@" in label] != [77, 78]
    assert kept.strikes["email|Email"] == 2
    commit(store, links=(attrs.evolve(known, strikes={"email|Email@": known.strikes["email|Email@@"]}),))
    [again] = store.links.all(PEOPLE)
    assert (again.strikes["email|Email@"] == 78, again.strikes["email|Email@"] == 77) == (True, False)
