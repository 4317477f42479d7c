"""Events: each makes one record over there, once; delivered ones are the record and are kept until they are done with."""

import asyncio
import datetime as dt
import inspect

import attrs
import pytest

from crmbridge import AsyncPipeline, Disposition, Pipeline, at, events, one_way, pair, plain, put
from crmbridge.drive import AsyncDriver
from crmbridge.errors import ForgedDelivery, RunFailed, UsageError
from crmbridge.flow import call
from crmbridge.gates import filled
from crmbridge.model import (
    Arrived,
    Capabilities,
    CreateClass,
    Delivery,
    FieldSpec,
    Record,
    RecordRef,
    Rows,
    Schema,
    Uncertain,
)
from crmbridge.reasons import Code, because
from crmbridge.stores import MemoryStore, SqliteStore
from crmbridge.testing.connector import EVERYTHING, FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver, SimulatedCrash

FIELDS = ("mail", "text")


class Intake:
    """A system that cannot be read: it delivers, and signs with a word."""

    system = "web"

    def capabilities(self, kind):
        return Capabilities(appends_only=True)

    def schema(self, kind):
        return call(lambda: Schema(kind, {name: FieldSpec(name) for name in FIELDS}))

    def receive(self, delivery, *, now):
        word, id, mail = delivery.body.decode().split(" ")
        if word != "open-sesame":
            raise ForgedDelivery("web: the word is wrong")
        return [arrival(id, mail, now)]


def arrival(id, mail, at):
    rows = Rows("web", "post", FIELDS, (id,), ((mail, "hello"),))
    return Arrived(f"delivery-{id}", Record(rows, 0), at)


def delivery(text):
    return Delivery("POST", "https://us.example/in", {}, text.encode())


class NeverAnswers(FakeConnector):
    """A sink that loses the answer to its next writes, after or before it has applied them."""

    losing = ()

    def apply(self, batch):
        if self.losing:
            applied, *self.losing = self.losing
            return call(lambda: self._lose(batch, applied=applied))
        return super().apply(batch)

    def _lose(self, batch, *, applied):
        if applied:
            [self._apply(action) for action in batch]
        return [Uncertain(action, because(Code.IN_DOUBT, system=self.system)) for action in batch]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "state.db")


@pytest.fixture
def crm(clock):
    able = attrs.evolve(EVERYTHING, creates=CreateClass.C, create_key=None, settles_in=dt.timedelta(minutes=1))
    return NeverAnswers(
        "crm", described("task", FieldSpec("Mail"), FieldSpec("Text")), capabilities=able, now=clock.now
    )


def pipeline(source, crm, store, clock, *, kind="post", **crash):
    return (
        events("posts", at(source, kind), at(crm, "task"))
        .fields(pair("mail", "Mail"), pair("text", "Text"))
        .remember(store)
        .using(SimDriver(clock=clock, **crash))
    )


@pytest.fixture
def posts(crm, store, clock):
    made = pipeline(Intake(), crm, store, clock)
    made.enable()
    return made


def test_a_delivered_event_makes_one_record_however_often_it_is_delivered(posts, crm):
    assert posts.receive(delivery("open-sesame 1 kim@x.example")) == 1
    assert posts.receive(delivery("open-sesame 1 kim@x.example")) == 0
    assert posts.drain().counts[Disposition.APPLIED] == 1
    assert posts.receive(delivery("open-sesame 1 kim@x.example")) == 0
    assert posts.drain().read == 0
    assert [row["Mail"] for row in crm.rows("task")] == ["kim@x.example"]


def test_a_forged_delivery_is_refused_and_stores_nothing(posts, crm):
    with pytest.raises(ForgedDelivery):
        posts.receive(delivery("guess 1 kim@x.example"))
    assert posts.drain().read == 0
    assert crm.rows("task") == []


def test_events_of_a_pipeline_that_was_never_enabled_make_nothing(crm, store, clock):
    saved = pipeline(Intake(), crm, store, clock)
    saved.receive(delivery("open-sesame 1 kim@x.example"))
    assert saved.drain().counts[Disposition.SKIPPED] == 1
    assert crm.rows("task") == []


def test_enabling_again_starts_no_back_fill(posts, crm, clock):
    posts.disable()
    posts.receive(delivery("open-sesame 1 kim@x.example"))
    posts.drain()
    clock.advance(60)
    posts.enable()
    posts.receive(delivery("open-sesame 2 lee@x.example"))
    posts.drain()
    assert [row["Mail"] for row in crm.rows("task")] == ["lee@x.example"]


def test_enabling_what_is_enabled_loses_nothing_that_was_stored_and_not_drained_yet(posts, crm, clock):
    posts.receive(delivery("open-sesame 1 kim@x.example"))
    clock.advance(60)
    posts.enable()
    posts.drain()
    assert [row["Mail"] for row in crm.rows("task")] == ["kim@x.example"]


def test_an_event_waits_from_its_own_time_on(posts, crm, clock):
    late = posts.after(minutes=10)
    late.receive(delivery("open-sesame 1 kim@x.example"))
    clock.advance(599)
    assert late.drain().counts[Disposition.HELD] == 1
    assert crm.rows("task") == []
    clock.advance(1)
    assert late.drain().counts[Disposition.APPLIED] == 1
    assert len(crm.rows("task")) == 1


def test_an_event_that_a_gate_refuses_is_skipped_and_says_so(posts, crm):
    gated = posts.gate(filled("mail"))
    gated.accept([arrival("1", None, gated.driver.clock.now())])
    report = gated.drain()
    [skipped] = report.rows(Disposition.SKIPPED)
    assert skipped.because.code is Code.GATE
    assert crm.rows("task") == []


def test_an_event_whose_outcome_is_unknown_is_in_doubt_and_never_sent_again_by_itself(posts, crm, store, clock):
    crm.losing = [True]
    posts.receive(delivery("open-sesame 1 kim@x.example"))
    posts.drain()
    for _ in range(5):
        clock.advance(3600)
        posts.drain()
    assert len(crm.rows("task")) == 1
    [row] = store.quarantine.rows("posts")
    assert (row.state, row.because.code) == ("quarantined", Code.IN_DOUBT)


def test_people_are_told_once_of_an_event_in_doubt(posts, crm, clock):
    told = []

    class Bell:
        def send(self, notice):
            return call(lambda: told.append(notice))

    watched = posts.on_quarantine(Bell())
    crm.losing = [True]
    watched.receive(delivery("open-sesame 1 kim@x.example"))
    for _ in range(3):
        watched.drain()
        clock.advance(3600)
    assert [notice.because.code for notice in told] == [Code.IN_DOUBT]


def test_a_person_may_send_an_event_in_doubt_again(posts, crm, store, clock):
    crm.losing = [False]
    posts.receive(delivery("open-sesame 1 kim@x.example"))
    posts.drain()
    clock.advance(3600)
    posts.drain()
    assert crm.rows("task") == []
    posts.retry([RecordRef("web", "post", "1")])
    assert [row["Mail"] for row in crm.rows("task")] == ["kim@x.example"]
    assert list(store.quarantine.rows("posts")) == []


def test_an_event_that_is_refused_waits_in_quarantine_with_its_values_and_tells_people_once(posts, crm, store, clock):
    told = []

    class Bell:
        def send(self, notice):
            return call(lambda: told.append(notice))

    watched = posts.override(put("Text", "fixed")).on_quarantine(Bell())
    crm._schemas["task"] = Schema("task", {"Mail": FieldSpec("Mail", required=True), "Text": FieldSpec("Text")})
    watched.accept([arrival("1", None, clock.now())])
    watched.drain()
    watched.drain()
    assert [notice.because.code for notice in told] == [Code.REQUIRED]
    crm._schemas["task"] = described("task", FieldSpec("Mail"), FieldSpec("Text"))
    clock.advance(7200)
    assert watched.retry().counts[Disposition.APPLIED] == 1
    assert [row["Text"] for row in crm.rows("task")] == ["fixed"]
    assert len(told) == 1


def test_an_event_that_comes_again_while_it_waits_keeps_its_values_and_is_counted_as_what_it_is(posts, crm, clock):
    crm.losing = [False]
    posts.receive(delivery("open-sesame 1 kim@x.example"))
    posts.drain()
    clock.advance(3600)
    assert posts.drain().counts[Disposition.QUARANTINED] == 1
    posts.accept([attrs.evolve(arrival("1", "kim@x.example", clock.now()), id="another delivery of it")])
    report = posts.drain()
    assert (report.read, report.counts[Disposition.QUARANTINED]) == (1, 1)
    with pytest.raises(RunFailed):
        report.raise_for_failures()
    posts.retry([RecordRef("web", "post", "1")])
    assert [row["Mail"] for row in crm.rows("task")] == ["kim@x.example"]


class Dies(FakeConnector):
    """A sink whose process dies once, with the first record, before anything is sent."""

    dead = False

    def apply(self, batch):
        if not self.dead:
            self.dead = True
            raise SimulatedCrash
        return super().apply(batch)


@pytest.mark.parametrize("topology", ["events", "one_way"])
def test_what_is_found_to_be_in_doubt_after_a_crash_is_counted_as_in_quarantine_by_each_run_that_meets_it(
    crm, store, clock, topology
):
    able = attrs.evolve(crm.capabilities("task"), batch=1)
    sink = Dies("crm", described("task", FieldSpec("Mail"), FieldSpec("Text")), capabilities=able, now=clock.now)
    listed = plain.rows(
        [{"id": str(n), "mail": f"p{n}@x.example", "text": ""} for n in range(3)], id="id", system="log"
    )
    ends = at(listed, "row"), at(sink, "task")
    begun = events("posts", *ends) if topology == "events" else one_way("posts", *ends)
    posts = begun.fields(pair("mail", "Mail"), pair("text", "Text")).remember(store).using(SimDriver(clock=clock))
    if topology == "events":
        posts.enable()
    with pytest.raises(SimulatedCrash):
        posts.run()
    clock.advance(3600)
    posts.run()
    for _ in range(3):
        clock.advance(3600)
        report = posts.run()
        parked = [row.state for row in store.quarantine.rows("posts")]
        assert parked == ["quarantined"] * len(parked) != []
        assert report.counts[Disposition.QUARANTINED] == len(parked)
        assert report.read == 3, "each is counted once"
        with pytest.raises(RunFailed):
            report.raise_for_failures()


def test_a_run_that_finds_a_delivered_event_in_doubt_says_so(posts, crm, store, clock):
    dying = pipeline(Intake(), Dies("crm", *crm._schemas.values(), capabilities=crm.capabilities("task")), store, clock)
    posts.receive(delivery("open-sesame 1 kim@x.example"))
    with pytest.raises(SimulatedCrash):
        dying.drain()
    posts.drain()
    clock.advance(3600)
    report = posts.drain()
    [decision] = report.rows(Disposition.QUARANTINED)
    assert decision.because.code is Code.IN_DOUBT


def test_an_event_that_waits_for_its_time_is_counted_once_by_each_run_and_plan_that_meets_it(crm, store, clock):
    listed = plain.rows([{"id": "1", "mail": "kim@x.example", "text": ""}], id="id", system="log")
    posts = pipeline(listed, crm, store, clock, kind="row").after(hours=3)
    posts.enable()
    planned, counted = [], []
    for _ in range(4):
        planned.append({one: count for one, count in posts.plan().totals.by_disposition.items() if count})
        counted.append({one: count for one, count in posts.run().counts.items() if count})
        clock.advance(3600)
    held, applied = {Disposition.HELD: 1}, {Disposition.APPLIED: 1}
    assert counted == planned == [held, held, held, applied]


def test_events_of_a_system_with_a_feed_are_read_from_it(crm, store, clock):
    log = FakeConnector("log", described("post", FieldSpec("mail"), FieldSpec("text")), now=clock.now)
    before = log.put("post", mail="before@x.example")
    clock.advance(60)
    posts = pipeline(log, crm, store, clock)
    posts.enable()
    clock.advance(60)
    log.put("post", mail="kim@x.example")
    report = posts.run()
    assert (report.counts[Disposition.APPLIED], report.counts[Disposition.SKIPPED]) == (1, 1)
    assert posts.run().read == 0
    assert [row["Mail"] for row in crm.rows("task")] == ["kim@x.example"], before


@pytest.mark.parametrize("where", ["crash_before", "crash_after"])
@pytest.mark.parametrize("effect", range(1, 30))
def test_a_crash_at_any_effect_loses_no_event_and_makes_no_second_record(crm, store, clock, where, effect):
    posts = pipeline(Intake(), crm, store, clock, **{where: effect})
    store.agenda.enable("posts", clock.now())
    for number in range(3):
        posts.accept([arrival(str(number), f"p{number}@x.example", clock.now())])
    try:
        posts.drain()
    except SimulatedCrash:
        clock.advance(3600)
    for _ in range(3):
        pipeline(Intake(), crm, store, clock).drain()
        clock.advance(3600)
    doubtful = {row.ref.id for row in store.quarantine.rows("posts") if row.because.code is Code.IN_DOUBT}
    mails = [row["Mail"] for row in crm.rows("task")]
    assert len(mails) == len(set(mails))
    assert {f"p{number}@x.example" for number in range(3) if str(number) not in doubtful} <= set(mails)


def test_a_pipeline_with_a_feed_takes_deliveries_as_hints_only(clock):
    left = FakeConnector("ma", described("person", FieldSpec("name")), now=clock.now)
    right = FakeConnector("crm", described("lead", FieldSpec("Name")), now=clock.now)
    people = (
        one_way("people", at(left, "person"), at(right, "lead"))
        .fields(pair("name", "Name"))
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )
    left.put("person", name="kim")
    with pytest.raises(UsageError, match="nobody opens deliveries"):
        people.receive(delivery("open-sesame 1 x"))
    assert people.run().counts[Disposition.APPLIED] == 1


def test_the_verbs_of_an_awaited_pipeline_are_awaited_every_one(crm, store, clock):
    posts = events("posts", at(Intake(), "post"), at(crm, "task")).fields(pair("mail", "Mail")).remember(store)
    awaited = posts.using(AsyncDriver(clock=clock))

    async def lived():
        await awaited.enable()
        assert await awaited.accept([arrival("1", "kim@x.example", clock.now())]) == 1
        await awaited.drain()
        await awaited.disable()
        assert await awaited.accept([arrival("2", "lee@x.example", clock.now())]) == 1
        return await awaited.drain()

    assert asyncio.run(lived()).counts[Disposition.SKIPPED] == 1
    assert [row["Mail"] for row in crm.rows("task")] == ["kim@x.example"]
    verbs = {name for name in vars(Pipeline) if not name.startswith("_")} - {"using", "driver"}
    assert [verb for verb in sorted(verbs) if not inspect.iscoroutinefunction(getattr(AsyncPipeline, verb))] == []
