"""Two stores are told the same, in any order, and must answer the same."""

import datetime as dt
import os

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from crmbridge.errors import CrmBridgeError
from crmbridge.model import (
    MISSING,
    Agreed,
    Create,
    Decision,
    Deleted,
    Disposition,
    Link,
    Merged,
    RecordRef,
    Signal,
    Update,
)
from crmbridge.protocols import KeyValue, Notice, Question
from crmbridge.reasons import Code, because
from crmbridge.roles import Delta, Intent, JournalRow, Keyed, Progress, QueueRow, Ruling
from crmbridge.stores import MemoryStore, SqliteStore

EXAMPLES = int(os.environ.get("CRMBRIDGE_EXAMPLES", "4"))
"""Lives of a pair of stores, one of them on a server; each step of one asks everything."""

NOW = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)
WHY = because(Code.BUSY)
SIDES = ("left", "right")
LEFT = [RecordRef("crm", "contact", n) for n in "123"] + [RecordRef("crm", "lead", "1")]
RIGHT = [RecordRef("sfa", "Lead", n) for n in "123"]
REFS = LEFT + RIGHT
TENANTS = ("", "acme")
PIPELINES = ("people", "deals")
RUNS = ("run", "plan")
NAMES = ("a", "b", "c")

lefts, rights, names = st.sampled_from(LEFT), st.sampled_from(RIGHT), st.sampled_from(NAMES)
places = st.one_of(st.tuples(st.just("left"), lefts), st.tuples(st.just("right"), rights))
times = st.sampled_from([NOW, LATER])
versions = st.sampled_from([None, "1", "2"])
states = st.sampled_from(["ready", "held", "disputed", "quarantined"])
keys = st.lists(st.builds(KeyValue, names, st.sampled_from(["", "x", "y"]), st.just("n")), max_size=2).map(tuple)
levels = st.lists(keys, max_size=2).map(tuple)
halves = st.builds(
    lambda cell, version: Agreed(("f",), (cell,), {}, version), st.sampled_from(["x", MISSING]), versions
)
links = st.builds(
    Link, names, lefts, rights, halves, halves, times, closed=st.sampled_from([None, None, WHY]), shared=st.booleans()
)
creates = st.builds(lambda ref: Create("Lead", {}, ref, "k", WHY), lefts)
intents = st.builds(
    lambda key, action, at, levels: Intent(
        key, "right", action, action.origin if isinstance(action, Create) else LEFT[0], "", at, keys=levels
    ),
    names, creates | st.builds(lambda ref: Update(ref, {}, "k", WHY), rights), times, levels,
)  # fmt: skip
decisions = st.builds(
    lambda place, disposition, actions: Decision(*place, None, disposition, WHY, actions),
    places, st.sampled_from(Disposition), st.just(()) | st.tuples(creates),
)  # fmt: skip


def some(strategy, most=2):
    return st.lists(strategy, max_size=most).map(tuple)


def rows(sequences):
    return st.builds(
        lambda place, *told: QueueRow(*place, *told),
        places, states, st.none() | times, st.sampled_from([None, WHY]), versions, st.integers(0, 2), st.booleans(), sequences,
    )  # fmt: skip


deltas = st.builds(
    Delta,
    queue=some(rows(st.sampled_from([0, 0, 1, 2, 3, 4]))),
    done=some(rows(st.integers(1, 4)), 1),
    wake=some(places, 1),
    links=some(links, 3),
    departures=some(
        st.one_of(
            st.builds(lambda a, b: ("left", Merged(a, b)), lefts, lefts),
            st.builds(lambda a, b: ("right", Merged(a, b)), rights, rights),
            st.builds(lambda a: ("left", Deleted(a)), lefts),
        )
    ),
    progress=st.dictionaries(
        st.tuples(st.sampled_from(SIDES), names), st.builds(Progress, names, st.booleans()), max_size=1
    ),
    promised=some(intents),
    settled=some(names),
    journal=some(
        st.builds(
            lambda run, ref, origin: JournalRow(run, NOW, "right", "update", ref, origin, WHY),
            st.sampled_from(RUNS),
            rights,
            lefts,
        )
    ),
    at=st.none() | times,
    kept_since=st.none() | st.none() | times,
    run=st.sampled_from(RUNS),
    decisions=some(decisions),
    planned=some(levels),
    taken=some(names, 1),
    objection=st.sampled_from([None, None, WHY]),
    objection_cleared=st.booleans(),
    keys=some(st.builds(lambda place, keys: Keyed(*place, keys), places, keys)),
    notices=some(st.builds(lambda key, ref: Notice(key, ref, WHY), names, st.sampled_from(REFS)), 1),
)
questions = [
    Question(kind, "l", any_of, limit=limit)
    for kind in ("Lead", "contact")
    for limit in (1, 9)
    for any_of in (
        ((KeyValue("a", "x", "n"),),),
        ((KeyValue("a", "x", "n"), KeyValue("b", "y", "n")), (KeyValue("c", "x", "n"),)),
        ((KeyValue("@id", "2"),), (KeyValue("@id", "1"), KeyValue("a", "x", "n"))),
    )
]


def answers(store):
    """Ask everything of one tenant."""
    told = {}
    for pipe in PIPELINES:
        told[pipe] = [
            list(store.links.all(pipe)),
            store.links.count(pipe),
            [
                [{ref: list(found) for ref, found in store.links.of(pipe, side, REFS).items()} for side in SIDES],
                [dict(store.links.standing(pipe, side, REFS)) for side in SIDES],
                [dict(store.links.followed(pipe, side, REFS)) for side in SIDES],
                [store.links.progress(pipe, side, name) for side in SIDES for name in NAMES],
            ],
            list(store.outbox.unsettled(pipe, 2)),
            dict(store.outbox.holding(pipe, REFS)),
            [[list(found) for found in store.outbox.creating(pipe, run, questions)] for run in (*RUNS, "")],
            list(store.inbox.waiting(pipe, 2)),
            store.inbox.count(pipe),
            [[list(found) for found in store.directory.find(pipe, side, questions)] for side in SIDES],
            [list(store.journal.of(pipe, ref)) for ref in REFS],
            [list(store.journal.decided(pipe, ref, 9)) for ref in REFS],
            [store.journal.ended_before(pipe, instant) for instant in (NOW, LATER)],
            store.journal.kept_since(pipe),
            list(store.quarantine.rows(pipe)),
            dict(store.quarantine.count(pipe)),
            [dict(store.agenda.rows(pipe, side, REFS)) for side in SIDES],
            [dict(store.quarantine.of(pipe, side, REFS)) for side in SIDES],
            [list(store.agenda.due(pipe, now, limit)) for now in (NOW, LATER) for limit in (2, 9)],
            [list(store.agenda.due(pipe, LATER, 2, after=after)) for after in (0, 2)],
            [store.agenda.tally(pipe, now) for now in (NOW, LATER)],
            store.agenda.next(pipe),
            dict(store.rulings.of(pipe, REFS)),
            store.rulings.objection(pipe),
        ]
    told["runs"] = [
        [
            dict(store.outbox.counts(run)),
            list(store.outbox.rows(run)),
            dict(store.outbox.planned(run, REFS)),
            list(store.journal.run(run)),
        ]
        for run in RUNS
    ]
    told["notices"] = list(store.outbox.notices(9))
    return told


class TwoStores(RuleBasedStateMachine):
    def __init__(self, one, other):
        super().__init__()
        self.stores = one, other
        self.turn = 0

    def teardown(self):
        for store in self.stores:
            store.close()

    def both(self, tenant, act):
        """Let both act, and compare what they give or raise."""
        outcomes = []
        for store in self.stores:
            try:
                outcomes.append(act(store.tenant(tenant)))
            except CrmBridgeError as error:
                outcomes.append(type(error))
        assert outcomes[0] == outcomes[1]

    @rule(
        tenant=st.sampled_from(TENANTS),
        pipeline=st.sampled_from(PIPELINES),
        delta=deltas,
        stale=st.sampled_from([False] * 9 + [True]),
    )
    def commit(self, tenant, pipeline, delta, stale):
        self.turn += 1

        def act(store):
            fence = store.leases.take("p", "me", NOW, dt.timedelta(hours=1))
            try:
                store.commit(pipeline, delta, attrs.evolve(fence, token=fence.token - stale))
            finally:
                store.leases.release(fence)
            return fence

        self.both(tenant, act)

    @rule(tenant=st.sampled_from(TENANTS), signals=some(st.builds(Signal, names, st.sampled_from(REFS), times)))
    def deliver(self, tenant, signals):
        self.both(tenant, lambda store: store.inbox.put("people", signals))

    @rule(tenant=st.sampled_from(TENANTS), ruling=st.builds(Ruling, st.sampled_from(REFS), names, names, times))
    def decide(self, tenant, ruling):
        self.both(tenant, lambda store: store.rulings.add("people", ruling))

    @rule(tenant=st.sampled_from(TENANTS), refs=some(st.sampled_from(REFS)))
    def forget(self, tenant, refs):
        self.both(tenant, lambda store: store.forget(refs))

    @invariant()
    def they_know_the_same(self):
        for tenant in TENANTS:
            first, second = (answers(store.tenant(tenant)) for store in self.stores)
            for place, known in first.items():
                for number, (one, other) in enumerate(zip(known, second[place], strict=True)):
                    assert (place, number, _unprinted(one)) == (place, number, _unprinted(other))


def _unprinted(value):
    """Put one word in place of fingerprints: the key of each store is its own."""
    if isinstance(value, str) and (value.startswith("forgotten:") or len(value) == 64):
        return "forgotten"
    if attrs.has(type(value)):
        return attrs.evolve(
            value, **{field.name: _unprinted(getattr(value, field.name)) for field in attrs.fields(type(value))}
        )
    if isinstance(value, dict):
        return {_unprinted(name): _unprinted(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_unprinted(part) for part in value)
    return value


def test_memory_and_a_file_give_the_same_answers():
    run_state_machine_as_test(
        lambda: TwoStores(MemoryStore(), SqliteStore(":memory:")),
        settings=settings(max_examples=60, stateful_step_count=12),
    )


def test_a_file_and_a_server_give_the_same_answers(postgres_store, record_property):
    run_state_machine_as_test(
        lambda: TwoStores(SqliteStore(":memory:"), postgres_store()),
        settings=settings(max_examples=EXAMPLES, stateful_step_count=12),
    )
    record_property("lives", EXAMPLES)
