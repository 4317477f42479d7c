"""Laws of outbox, directory and journal."""

from __future__ import annotations

import datetime as dt

import attrs

from ...model import Delete, Disposition, FieldSpec, FieldType, Normalisation, RecordRef, Schema
from ...protocols import ID_FIELD, MOST_FOUND, KeyValue, Notice
from ...reasons import Code, because
from ...roles import IntentState, Keyed, StateStore, StoredSchema
from .values import HOUR, NOW, PEOPLE, Laws, ask, commit, create, decision, key, left, noted, promise, right, update


class OutboxLaws(Laws):
    """What a store promises of intents, decisions and notices."""

    def test_unsettled_intents_come_oldest_first(self, store: StateStore) -> None:
        old, same = promise(1, promised_at=NOW - HOUR), promise("0")
        commit(store, promised=(promise(2), old, same))
        store = self.reopen(store)
        assert list(store.outbox.unsettled(PEOPLE, 9)) == [old, same, promise(2)]
        assert list(store.outbox.unsettled(PEOPLE, 1)) == [old]
        assert list(store.outbox.unsettled("companies", 9)) == []

    def test_an_intent_is_put_by_its_key_until_it_is_settled(self, store: StateStore) -> None:
        doubt = promise(1, state=IntentState.IN_DOUBT, doubt_since=NOW + HOUR)
        commit(store, promised=(promise(1), promise(2)))
        commit(store, promised=(doubt,))
        assert list(store.outbox.unsettled(PEOPLE, 9)) == [doubt, promise(2)]
        commit(store, settled=("key-1", "unknown"))
        assert list(store.outbox.unsettled(PEOPLE, 9)) == [promise(2)]
        assert store.outbox.holding(PEOPLE, [left(1)]) == {}

    def test_an_intent_holds_the_record_it_writes_and_the_one_it_was_decided_from(self, store: StateStore) -> None:
        write = promise(1, action=update(5))
        remove = promise(2, action=Delete(right(6), "k", because(Code.REMOVED)), promised_at=NOW - HOUR, key="older")
        again = promise(3, action=update(6), origin=left(3))
        commit(store, promised=(write, remove, again, promise(4)))
        refs = [left(1), right(5), right(6), left(4), right(4), left(9)]
        held = {left(1): write, right(5): write, right(6): remove, left(4): promise(4)}
        assert store.outbox.holding(PEOPLE, refs) == held
        commit(store, promised=(promise(1, action=update(7)),))
        assert right(5) not in store.outbox.holding(PEOPLE, refs)

    def test_a_promised_create_answers_a_question_by_all_its_keys_together(self, store: StateStore) -> None:
        levels = ((key("kim"),), (key("kim", "Name", "name_key"), key("03", "Phone")))
        commit(store, promised=(promise(2, keys=levels), promise(1, promised_at=NOW - HOUR, keys=levels[:1])))
        answers = store.outbox.creating(
            PEOPLE,
            "run",
            [
                ask((key("kim"),)),
                ask((key("lee"),), (key("03", "Phone"), key("kim"))),
                ask((key("kim", by="exact"),)),
                ask((key("kim"),), kind="Contact"),
                ask((key("kim"), key("04", "Phone"))),
                ask(),
                ask(()),
            ],
        )
        assert [list(refs) for refs in answers] == [[left(1), left(2)], [left(2)], [], [], [], [], []]

    def test_a_blank_key_answers_nothing(self, store: StateStore) -> None:
        blank = ((key(""),),)
        commit(store, promised=(promise(1, keys=blank),), keys=(Keyed("right", right(1), blank[0]),))
        assert list(store.outbox.creating(PEOPLE, "", [ask(*blank)])[0]) == []
        assert list(store.directory.find(PEOPLE, "right", [ask(*blank)])[0]) == []

    def test_creates_of_a_plan_answer_within_the_plan_alone(self, store: StateStore) -> None:
        planned = tuple(decision(n, actions=(create(n),)) for n in (3, 1))
        keys = (((key("kim"),),), ((key("kim"), key("lee")),))
        commit(store, run="plan", decisions=(*planned, decision(7)), planned=keys)
        commit(store, promised=(promise(9, keys=keys[0]),))
        asked = [ask((key("kim"),)), ask((key("kim"), key("lee")))]
        store = self.reopen(store)
        found = store.outbox.creating(PEOPLE, "plan", asked)
        assert [list(refs) for refs in found] == [[left(9), left(3), left(1)], [left(1)]]
        assert [list(refs) for refs in store.outbox.creating(PEOPLE, "other", asked)] == [[left(9)], []]
        assert [list(refs) for refs in store.outbox.creating("companies", "plan", asked)] == [[], []]

    def test_a_create_that_is_settled_or_decided_otherwise_answers_no_more(self, store: StateStore) -> None:
        keys = ((key("kim"),),)
        commit(store, promised=(promise(1, keys=keys),))
        commit(store, run="plan", decisions=(decision(2, actions=(create(2),)),), planned=(keys,))
        commit(store, settled=("key-1",))
        commit(store, run="plan", decisions=(decision(2, Disposition.HELD),))
        assert list(store.outbox.creating(PEOPLE, "plan", [ask((key("kim"),))])[0]) == []

    def test_decisions_are_numbered_counted_and_read_on_from_a_number(self, store: StateStore) -> None:
        decided = [decision(n, Disposition.HELD if n % 3 else Disposition.APPLIED) for n in range(1, 8)]
        commit(store, run="run", decisions=tuple(decided[:4]))
        commit(store, run="other", decisions=(decision(9),))
        commit(store, run="run", decisions=tuple(decided[4:]))
        store = self.reopen(store)
        assert list(store.outbox.rows("run")) == list(enumerate(decided, start=1))
        assert [number for number, _ in store.outbox.rows("run", after=2, limit=3)] == [3, 4, 5]
        assert [number for number, _ in store.outbox.rows("run", Disposition.APPLIED, after=3)] == [6]
        assert store.outbox.counts("run") == {Disposition.APPLIED: 2, Disposition.HELD: 5}
        assert store.outbox.counts("unknown") == {}
        assert list(store.outbox.rows("unknown")) == []

    def test_a_record_is_decided_once_in_a_run_and_keeps_its_number(self, store: StateStore) -> None:
        commit(store, run="run", decisions=(decision(1, Disposition.HELD), decision(2)))
        commit(store, run="run", decisions=(decision(1), decision(1, side="right")))
        assert list(store.outbox.rows("run")) == [(1, decision(1)), (2, decision(2)), (3, decision(1, side="right"))]

    def test_what_was_applied_is_not_called_unchanged_afterwards(self, store: StateStore) -> None:
        unchanged = decision(1, Disposition.UNCHANGED)
        commit(store, run="run", decisions=(unchanged, decision(2)))
        commit(store, run="run", decisions=(decision(1), decision(2, Disposition.UNCHANGED)))
        assert store.outbox.counts("run") == {Disposition.APPLIED: 2}
        commit(store, run="run", decisions=(decision(1, Disposition.QUARANTINED),))
        assert store.outbox.counts("run") == {Disposition.APPLIED: 1, Disposition.QUARANTINED: 1}

    def test_the_decisions_about_some_records_are_found(self, store: StateStore) -> None:
        commit(store, run="plan", decisions=tuple(decision(n) for n in range(2000)))
        commit(store, run="other", decisions=(decision(1, Disposition.HELD), decision(5000)))
        asked = [left(5000), *(left(n) for n in range(0, 2000, 2)), right(3)]
        assert store.outbox.planned("plan", asked) == {left(n): decision(n) for n in range(0, 2000, 2)}
        assert store.outbox.planned("", asked) == {}

    def test_a_notice_waits_once_until_its_key_is_settled(self, store: StateStore) -> None:
        one, two = Notice("1", left(1), because(Code.IN_DOUBT)), Notice("2", left(2), because(Code.BUSY))
        commit(store, notices=(one, two))
        commit(store, "companies", notices=(one,))
        store = self.reopen(store)
        assert list(store.outbox.notices(9)) == [one, two]
        assert list(store.outbox.notices(1)) == [one]
        commit(store, settled=("1",))
        assert list(store.outbox.notices(9)) == [two]


class DirectoryLaws(Laws):
    """What a store promises of comparison keys and schemas."""

    def test_a_record_is_found_that_has_all_keys_of_one_alternative(self, store: StateStore) -> None:
        kim, lee, both = (key("kim"),), (key("lee", "Name"),), (key("kim"), key("lee", "Name"))
        commit(store, keys=tuple(Keyed("right", right(n), keys) for n, keys in enumerate((kim, lee, both))))
        questions = [
            ask(kim),
            ask(kim, lee),
            ask(both),
            ask((key("kim", by="exact"),)),
            ask(kim, kind="Contact"),
            ask(),
        ]
        store = self.reopen(store)
        found = store.directory.find(PEOPLE, "right", questions)
        expected = [[right(0), right(2)], [right(0), right(1), right(2)], [right(2)], [], [], []]
        assert [list(refs) for refs in found] == expected
        assert [list(refs) for refs in store.directory.find(PEOPLE, "left", questions[:1])] == [[]]
        assert [list(refs) for refs in store.directory.find("companies", "right", questions[:1])] == [[]]

    def test_found_records_come_by_id_and_at_most_as_many_as_asked_for(self, store: StateStore) -> None:
        keys = (key("kim"), key("x", "Name"))
        commit(store, keys=tuple(Keyed("right", right(n), keys) for n in ("b", "B", "é", "ｱ", "𠮷", "a")))
        question = ask((key("kim"),), keys, limit=4)
        assert list(store.directory.find(PEOPLE, "right", [question])[0]) == [right(n) for n in ("B", "a", "b", "é")]
        everyone = ask((key("kim"),))
        assert [ref.id for ref in store.directory.find(PEOPLE, "right", [everyone])[0]] == [
            "B",
            "a",
            "b",
            "é",
            "ｱ",
            "𠮷",
        ]

    def test_as_many_are_found_as_are_asked_for_where_there_are_as_many(self, store: StateStore) -> None:
        both = (key("kim"), key("x", "Name"))
        commit(store, keys=tuple(Keyed("right", right(f"{n:04}"), both) for n in range(MOST_FOUND + 1)))
        for keys in (both[:1], both):
            asked = [ask(keys, limit=limit) for limit in (10, 11, 200, MOST_FOUND, MOST_FOUND + 2)]
            found = store.directory.find(PEOPLE, "right", asked)
            assert [len(refs) for refs in found] == [10, 11, 200, MOST_FOUND, MOST_FOUND + 1]
            assert list(found[1]) == [right(f"{n:04}") for n in range(11)]

    def test_the_keys_of_a_record_are_replaced_as_a_whole(self, store: StateStore) -> None:
        commit(
            store,
            keys=(Keyed("right", right(1), (key("kim"), key("x", "Name"))), Keyed("right", right(2), (key("kim"),))),
        )
        commit(store, keys=(Keyed("right", right(1), (key("lee"), key("lee"))),))
        asked = [ask((key("kim"),)), ask((key("lee"),)), ask((key("x", "Name"),))]
        assert [list(refs) for refs in store.directory.find(PEOPLE, "right", asked)] == [[right(2)], [right(1)], []]
        commit(store, keys=(Keyed("right", right(1)), Keyed("right", right(2))))
        assert [list(refs) for refs in store.directory.find(PEOPLE, "right", asked)] == [[], [], []]

    def test_a_question_by_id_needs_no_keys_of_the_record(self, store: StateStore) -> None:
        commit(store, keys=(Keyed("right", right(1), (key("kim"),)),))
        by_id = KeyValue(ID_FIELD, "7")
        asked = [
            ask((by_id,)),
            ask((by_id, key("kim"))),
            ask((KeyValue(ID_FIELD, "1"), key("kim"))),
            ask((KeyValue(ID_FIELD, ""),)),
        ]
        found = store.directory.find(PEOPLE, "right", asked)
        assert [list(refs) for refs in found] == [[right(7)], [], [right(1)], []]

    def test_any_text_may_be_a_key(self, store: StateStore) -> None:
        values = ("\0", "\ud800", "a" * 100_000, "名", "NULL", " ")
        commit(store, keys=tuple(Keyed("right", right(n), (key(value),)) for n, value in enumerate(values)))
        store = self.reopen(store)
        found = store.directory.find(PEOPLE, "right", [ask((key(value),)) for value in values])
        assert [list(refs) for refs in found] == [[right(n)] for n in range(len(values))]

    def test_a_schema_is_the_one_that_was_read_last(self, store: StateStore) -> None:
        field = FieldSpec(
            "Email", FieldType.EMAIL, "Ｅメール", required=True, max_length=80, options=("a",),
            refers_to=("Lead",), normalises=frozenset(Normalisation), email_rule="ae", id_check=3,
        )  # fmt: skip
        old, new = (StoredSchema(Schema("Lead", fields), NOW) for fields in ({}, {"Email": field}))
        commit(store, schemas=(("right", old),))
        commit(store, schemas=(("right", new), ("left", old)))
        store = self.reopen(store)
        assert store.directory.schema(PEOPLE, "right", "Lead") == new
        assert store.directory.schema(PEOPLE, "left", "Lead") == old
        assert store.directory.schema(PEOPLE, "right", "Contact") is None


class JournalLaws(Laws):
    """What a store promises of the journal."""

    def test_a_record_has_the_rows_in_which_it_was_written_or_decided_from(self, store: StateStore) -> None:
        made, changed = noted(1), noted(1, verb="update", run="later", at=NOW + HOUR)
        back = noted(2, side="left", verb="update", ref=left(1), origin=right(1))
        commit(store, journal=(made, noted(2)))
        commit(store, journal=(changed, back))
        store = self.reopen(store)
        assert list(store.journal.of(PEOPLE, right(1))) == [made, changed, back]
        assert list(store.journal.of(PEOPLE, left(1))) == [made, changed, back]
        assert list(store.journal.of(PEOPLE, left(9))) == []
        assert list(store.journal.of("companies", left(1))) == []

    def test_the_rows_of_a_run_come_in_order(self, store: StateStore) -> None:
        rows = [noted(n, at=NOW + n * dt.timedelta(seconds=1)) for n in range(1203)]
        commit(store, journal=tuple(rows[:700]))
        commit(store, journal=(noted(1, run="other"), *rows[700:]))
        assert list(store.journal.run("run")) == rows
        assert list(store.journal.run("unknown")) == []

    def test_a_record_has_what_the_latest_runs_decided_about_it(self, store: StateStore) -> None:
        held = decision(1, Disposition.HELD)
        for run, told in (("r1", decision(1)), ("r2", held), ("p3", decision(1)), ("r4", decision(2))):
            commit(store, run=run, decisions=(told,))
        commit(store, run="r4", decisions=(decision(3),))
        commit(store, "companies", run="r5", decisions=(decision(1),))
        store = self.reopen(store)
        assert list(store.journal.decided(PEOPLE, left(1), 9)) == [
            ("r1", decision(1)),
            ("r2", held),
            ("p3", decision(1)),
        ]
        assert list(store.journal.decided(PEOPLE, left(1), 2)) == [("r2", held), ("p3", decision(1))]
        assert list(store.journal.decided(PEOPLE, left(9), 9)) == []
        store.forget([left(1)])
        assert list(store.journal.decided(PEOPLE, left(1), 9)) == []

    def test_a_row_that_names_a_record_twice_is_told_once(self, store: StateStore) -> None:
        itself = noted(1, ref=RecordRef("crm", "contact", "1"))
        commit(store, journal=(itself,))
        assert list(store.journal.of(PEOPLE, left(1))) == [attrs.evolve(itself)]
