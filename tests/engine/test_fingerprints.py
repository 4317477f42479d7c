"""A store that keeps fingerprints in place of values: the same runs, and no value of anybody in any byte of it."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from functools import partial

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmbridge import Disposition, at, events, one_way, pair, policies, two_way
from crmbridge.codecs import choices
from crmbridge.errors import CapabilityError, PairError, StateError, UsageError
from crmbridge.match import key, level
from crmbridge.model import Arrived, Record, RecordRef, Rows
from crmbridge.model.sealed import Sealed
from crmbridge.policies import (
    by,
    filled_beats_blank,
    last_value,
    left_wins,
    monotone,
    newest_wins,
    right_wins,
    union,
    write_once,
)
from crmbridge.protocols import Question, Settle
from crmbridge.reasons import Code, because
from crmbridge.references import linked
from crmbridge.stores import FingerprintStore, MemoryStore, SqliteStore
from crmbridge.stores._sealing import Sealer
from crmbridge.testing.faulty import Fault, Lags
from crmbridge.testing.sim import SimDriver, SimulatedCrash

KEY = b"a key from outside, 32 bytes or more"
OTHER = b"another key from outside, as long as"
HOUR = dt.timedelta(hours=1)
CANARIES = ("canary", "Canary", "CANARY", "カナリア", "8675309")


def sealed_world(worlds, folder=None, **how):
    """Make a world whose store keeps fingerprints, and whose systems are never sent one."""
    inner = SqliteStore(folder / "state.db") if folder else MemoryStore()
    world = worlds(folder, store=FingerprintStore(inner, key=KEY), **how)
    for system in (world.ma, world.crm):
        system.apply = partial(_watched, system.apply)
    return world


def _watched(apply, batch):
    values = [value for action in batch for value in getattr(action, "values", {}).values()]
    assert not any(isinstance(value, Sealed) for value in values), "a fingerprint was sent in place of a value"
    return apply(batch)


# -- values and their fingerprints -------------------------------------------------------------------

cells = st.one_of(
    st.text(max_size=3), st.booleans(), st.integers(-3, 3), st.decimals(allow_nan=False, allow_infinity=False, places=1),
    st.sampled_from([Decimal("1.0"), Decimal("1.00"), 10**30, "1", " ", "", "true"]), st.dates(),
    st.datetimes(timezones=st.sampled_from([dt.UTC, dt.timezone(9 * HOUR)])), st.datetimes(),
    st.lists(st.text(max_size=2), max_size=2).map(tuple), st.builds(RecordRef, st.just("s"), st.just("k"), st.text(max_size=1)),
)  # fmt: skip


@settings(max_examples=500)
@given(cells, cells, st.text(max_size=2))
def test_a_fingerprint_is_equal_to_what_the_value_is_equal_to_and_to_nothing_else(one, two, record):
    kept = Sealer(KEY)._sealing(record)(one)
    assert (kept == two) == (one == two)
    assert (two == kept) == (two == one)
    assert kept == one
    assert ((kept,) == (two,)) == (one == two)


def test_a_fingerprint_tells_nothing_of_its_value_and_differs_by_record_and_key():
    made = {Sealer(k)._sealing(record)("Canary").text for k in (KEY, OTHER) for record in ("1", "2")}
    assert len(made) == 4
    assert not any("anary" in text for text in made)
    assert repr(Sealer(KEY)._sealing("1")("Canary")) == "Sealed()"
    assert Sealer(KEY)._sealing("1")("x").text == Sealer(KEY)._sealing("1")("x").text


def test_a_fingerprint_without_its_key_is_compared_with_nothing():
    with pytest.raises(StateError, match="FingerprintStore"):
        assert Sealed("salt:text") == "Kim"
    assert Sealed("salt:text") == Sealed("salt:text")
    assert Sealed("salt:text") != None  # noqa: E711 - a blank is no value


# -- the same runs ---------------------------------------------------------------------------------


def lived(world, seed, *, steps=40):
    """Let people edit, remove and make records at random, and give what both systems hold and what was written."""
    chance = random.Random(seed)
    pipe = world.pipeline(newest_wins(otherwise="right"), right="archive", left="archive", if_edited="revive")
    refs = [world.left(email=f"p{n}@x.example", name=f"canary {n}", city="Tokyo") for n in range(5)]
    world.settle(pipe)
    for step in range(steps):
        world.clock.advance(60)
        what, n = chance.choice("eeeeerncd"), chance.randrange(len(refs))
        leads = [RecordRef("crm", "lead", row["id"]) for row in world.crm.rows("lead")]
        there = [ref for ref in refs if world.ma.record(ref) is not None]
        if what == "e" and there:
            world.ma.edit(chance.choice(there), name=f"canary {step}", city=chance.choice(["Tokyo", "", "Nara"]))
        elif what == "r" and leads:
            world.crm.edit(chance.choice(leads), Name=f"Canary {step}", City=chance.choice(["Osaka", "Kobe"]))
        elif what == "n":
            refs.append(world.left(email=f"q{step}@x.example", name=f"canary new {step}"))
        elif what == "c" and leads:
            lead = chance.choice(leads)
            world.crm.edit(lead, Name="CANARY")
        elif what == "d" and there and n == 0:
            world.ma.remove(chance.choice(there))
        if chance.random() < 0.2:
            world.crm.then(chance.choice([Fault.LOST_AFTER, Fault.LOST_BEFORE, Fault.REJECTED, Fault.REFUSED]))
        world.run(pipe)
    world.crm.single = world.crm.whole = lambda _: None
    world.settle(pipe)
    return world.ma.rows("person"), world.crm.rows("lead"), world.writes()


@pytest.mark.parametrize("seed", range(12))
def test_any_life_ends_as_it_does_with_values(worlds, seed):
    plain, sealed = worlds(), sealed_world(worlds)
    assert lived(plain, seed) == lived(sealed, seed)
    links = list(sealed.store.links.all("sync"))
    assert [(link.left, link.right, link.closed) for link in links] == [
        (link.left, link.right, link.closed) for link in plain.store.links.all("sync")
    ]


@pytest.mark.parametrize("seed", range(4))
def test_no_byte_of_a_state_file_is_of_anybodys_value(worlds, tmp_path, seed):
    world = sealed_world(worlds, tmp_path)
    lived(world, seed, steps=15)
    pipe = world.pipeline()
    person = world.left(email="カナリア@x.example", name="8675309 canary", city="Canary Wharf", tags=("canary",))
    world.plan(pipe)
    world.run(pipe)
    world.ma.edit(person, name="canary again")
    world.crm.edit(world.counterpart(person), Name="other canary")
    world.crm.single = lambda _: Fault.REJECTED
    world.run(world.pipeline(policies.ask_a_person))
    world.crm.single = lambda _: None
    world.left(email="lost-canary@x.example", name="canary")
    world.crm.then(Fault.LOST_AFTER)
    world.run(pipe)
    world.ma.edit(person, city="canary in doubt")
    world.crm.then(Fault.LOST_AFTER)
    world.run(pipe)
    assert len(world.store.outbox.unsettled("sync", 9)) >= 1
    world.store.close()
    told = b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert len(told) > 50_000
    for canary in (*CANARIES, "Wharf", "@x.example"):
        for encoding in ("utf-8", "utf-16-le", "cp932"):
            assert canary.encode(encoding, "replace") not in told, canary
    assert KEY not in told
    for escaped in ("\\u30ab", KEY.hex()):
        assert escaped.encode() not in told


@pytest.mark.parametrize("create", ["A-key", "B"])
@pytest.mark.parametrize("when", ["crash_before", "crash_after"])
def test_a_crash_at_any_point_makes_no_second_record(worlds, promises, create, when):
    died, crash = True, 1
    while died:
        world = sealed_world(worlds, capabilities=promises(create))
        pipe = world.pipeline()
        person, lead = world.pair(pipe)
        world.settle(pipe)
        world.left(email="new@x.example", name="new")
        world.ma.edit(person, name="Park")
        died = world.die(pipe, **{when: crash})
        world.settle(pipe)
        assert sorted(row["Email"] for row in world.crm.rows("lead")) == ["kim@x.example", "new@x.example"]
        assert world.crm.values(lead)["Name"] == "Park"
        writes = world.count()
        world.settle(pipe)
        assert world.count() == writes
        crash += 1
    assert crash > 15


def test_an_update_whose_answer_was_lost_is_known_for_ours_in_whatever_case_it_is(worlds):
    world = sealed_world(worlds)
    person, lead = world.pair()
    world.settle()
    world.ma.edit(person, name="Park")
    world.crm.then(Fault.LOST_AFTER)
    world.run()
    world.settle()
    assert [row.because.code for row in world.store.journal.of("sync", lead)] == [Code.NEW, Code.RECOVERED]
    assert world.crm.values(lead)["Name"] == "Park"


def test_a_record_that_was_made_and_found_again_is_in_the_directory_at_every_moment_from_then_on(worlds):
    died, crash = True, 1
    while died:
        world = sealed_world(worlds)
        world.crm._lags = Lags(feed=lambda _: dt.timedelta(minutes=9))
        world.left(email="kim@x.example", name="Kim")
        world.crm.then(Fault.LOST_AFTER)
        world.run()
        assert world.store.links.count("sync") == 0
        world.left(email="Kim@x.example", name="twin")
        world.clock.advance(120)
        died = world.die(crash_before=crash)
        for link in world.links():
            keys = world.pipeline().definition.matcher.keys(world.crm.record(link.right), "right")
            assert keys
            [found] = world.store.directory.find("sync", "right", [Question("lead", "email", (keys,))])
            assert list(found) == [link.right]
        world.settle()
        assert [row["Name"] for row in world.crm.rows("lead")] == ["Kim"]
        crash += 1
    assert crash > 15


def test_a_second_record_of_the_same_keys_meets_the_first_by_hashed_keys(worlds):
    world = sealed_world(worlds)
    world.right(Email="KIM@x.example", Name="Kim")
    world.left(email="kim@x.example", name="Kim")
    world.settle()
    assert len(world.crm.rows("lead")) == 1
    world.left(email="Kim@X.example", name="twin")
    world.settle()
    assert len(world.crm.rows("lead")) == 1
    assert world.parked()[0][:2] == ("disputed", "already_linked")


def test_a_value_that_crosses_by_a_codec_is_compared_and_not_decoded(worlds):
    world = sealed_world(worlds)
    grade = pair("city", "City", right_wins, via=choices({"T": "Tokyo", "O": "Osaka"}))
    pipe = (
        two_way("sync", at(world.ma, "person"), at(world.crm, "lead"))
        .match(level("email", key("email", "Email")))
        .creates(left=True, right=True)
        .fields(pair("email", "Email", left_wins), grade)
    )
    person, lead = world.pair(pipe, city="T", name=None)
    world.settle(pipe)
    assert world.crm.values(lead)["City"] == "Tokyo"
    world.crm.edit(lead, City="Osaka")
    world.settle(pipe)
    assert world.ma.values(person)["city"] == "O"
    world.ma.edit(person, city="T")
    world.settle(pipe)
    assert world.crm.values(lead)["City"] == "Tokyo", "only one side has changed, so nobody wins"
    writes = world.count()
    world.ma.edit(person, name="x")
    world.settle(pipe)
    assert world.count() == writes


def test_an_approved_plan_is_carried_out_and_a_stale_one_is_not(worlds):
    world = sealed_world(worlds)
    person, lead = world.pair()
    world.settle()
    world.ma.edit(person, name="Park")
    plan = world.plan()
    assert "(not kept)" in plan.say("en")
    assert "(保存なし)" in plan.say("ja")
    assert "Park" not in plan.say("en")
    world.run(plan=plan)
    assert world.crm.values(lead)["Name"] == "Park"
    world.ma.edit(person, name="Choi")
    plan = world.plan()
    world.ma.edit(person, name="Lee")
    assert [row.because.code for row in world.run(plan=plan).rows()] == [Code.STALE_PLAN]
    assert world.crm.values(lead)["Name"] == "Park"


def test_a_plan_goes_into_a_file_without_a_value_and_back(worlds, tmp_path):
    world = sealed_world(worlds)
    world.left(email="kim@x.example", name="canary")
    plan = world.plan()
    plan.save(tmp_path / "plan.jsonl")
    assert "canary" not in (tmp_path / "plan.jsonl").read_text("utf-8")
    world.ready().run(world.ready().load(tmp_path / "plan.jsonl"))
    assert [row["Name"] for row in world.crm.rows("lead")] == ["canary"]


def test_why_tells_every_step_but_the_values(worlds):
    world = sealed_world(worlds)
    person, lead = world.pair()
    world.settle()
    world.ma.edit(person, name="Park")
    world.settle()
    why = world.ready().why(lead)
    assert [row.verb for row in why] == ["create", "update"]
    told = why.say("en")
    assert "crm.Name (not kept) → (not kept) (Only one system, ma, changed Name, so its value crosses.)" in told
    assert "Kim" not in told
    assert "Park" not in told


def test_an_undo_puts_no_field_back_but_takes_away_what_was_made(worlds):
    world = sealed_world(worlds)
    person = world.left(email="kim@x.example", name="Kim")
    first = world.run()
    world.settle()
    world.ma.edit(person, name="Park")
    second = world.run()
    [row] = world.ready().undo(second).rows()
    assert (row.disposition, row.because.code) == (Disposition.SKIPPED, Code.NOT_UNDOABLE)
    assert world.ready().run(world.ready().undo(second)).writes == 0
    other = sealed_world(worlds)
    other.left(email="kim@x.example", name="Kim")
    made = other.run()
    other.ready().run(other.ready().undo(made))
    assert other.crm.rows("lead") == []
    assert first.run != second.run


def test_a_field_that_swings_is_stopped_as_ever(worlds):
    world = sealed_world(worlds)
    person, lead = world.pair()
    world.settle()
    for _ in range(5):
        world.ma.edit(person, city="Nara")
        world.run()
        world.crm.edit(lead, City="Tokyo")
        world.run()
    plain = worlds()
    person, lead = plain.pair()
    plain.settle()
    for _ in range(5):
        plain.ma.edit(person, city="Nara")
        plain.run()
        plain.crm.edit(lead, City="Tokyo")
        plain.run()
    assert (world.parked(), world.writes()) == (plain.parked(), plain.writes())


# -- what cannot be ---------------------------------------------------------------------------------


def odd(state):
    return Settle(state.left_agreed, because(Code.RULE))


@pytest.mark.parametrize(
    ("policy", "named"),
    [
        (union, "union"), (last_value, "last_value"), (write_once, "write_once"), (by("mine", odd), "mine"),
        (filled_beats_blank(union), "union"), (attrs.make_class("Own", ["name"])("own"), "own"),
    ],
)  # fmt: skip
def test_a_policy_that_needs_the_old_value_is_refused_by_name_with_the_remedy(worlds, policy, named):
    world = sealed_world(worlds)
    world.left(email="kim@x.example", tags=("a",))
    pipe = world.pipeline().fields(pair("tags", "Tags", policy))
    for verb in (lambda: world.run(pipe), lambda: world.plan(pipe)):
        with pytest.raises(PairError, match=rf"tags\|Tags: the policy {named} needs the values .* newest_wins"):
            verb()
    assert world.writes() == []
    assert [f.because.code for f in world.ready(pipe).check() if "tags" in f.where] == [Code.VALUES_NOT_KEPT]


def test_a_value_that_moves_one_way_is_compared_unless_a_codec_stands_between(worlds):
    world = sealed_world(worlds)
    pipe = world.pipeline().fields(pair("score", "Score", monotone(towards="out")))
    person, lead = world.pair(pipe, score="out")
    world.settle(pipe)
    world.crm.edit(lead, Score="in")
    world.settle(pipe)
    assert world.crm.values(lead)["Score"] == "out"
    coded = world.pipeline().fields(pair("score", "Score", monotone(towards="out"), via=choices({"out": "OUT"})))
    with pytest.raises(PairError, match="monotone"):
        world.run(coded)
    assert world.ma.values(person)["score"] == "out"


@pytest.mark.parametrize(
    ("promised", "says"),
    [({"answers_with_stored": False}, "do not tell what was stored"), ({"create": "C"}, "carries no key of ours")],
)
def test_a_system_that_leaves_our_own_writes_unknown_is_refused(worlds, promises, promised, says):
    world = sealed_world(worlds, capabilities=promises(**promised))
    world.left(email="kim@x.example")
    with pytest.raises(CapabilityError, match=says):
        world.run()
    assert world.writes() == []


def test_a_reference_that_crosses_both_ways_is_refused(worlds):
    world = sealed_world(worlds)
    pipe = world.pipeline().fields(pair("tags", "Tags", left_wins, via=linked("others")))
    with pytest.raises(PairError, match="crosses both ways"):
        world.run(pipe)


def test_a_cool_down_by_a_value_is_refused(worlds):
    world = sealed_world(worlds)
    pipe = one_way("p", at(world.ma, "person"), at(world.crm, "lead")).fields(pair("email", "Email"))
    with pytest.raises(CapabilityError, match="cool-down"):
        world.run(pipe.paced(by="email", cooldown=HOUR))


def test_a_delivery_that_is_the_record_is_refused(worlds):
    world = sealed_world(worlds)
    pipe = events("posts", at(world.ma, "person"), at(world.crm, "lead")).fields(pair("email", "Email"))
    ready = world.ready(pipe)
    ready.enable()
    rows = Rows("ma", "person", ("email",), ("1",), (("canary",),))
    with pytest.raises(UsageError, match="without its values"):
        ready.accept([Arrived("d", Record(rows, 0), world.clock.now())])
    world.left(email="kim@x.example")
    assert ready.run().writes == 1


# -- keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 31])
def test_a_short_key_is_refused(key):
    with pytest.raises(UsageError, match="32 bytes"):
        FingerprintStore(MemoryStore(), key=key)


def test_another_key_writes_nothing_and_gives_the_lease_back(worlds, tmp_path):
    world = sealed_world(worlds, tmp_path)
    person, lead = world.pair()
    world.settle()
    world.ma.edit(person, name="Park")
    world.left(email="KIM@x.example", name="twin")
    right, writes = world.store, world.count()
    world.store = FingerprintStore(right._store, key=OTHER)
    for verb in (world.run, world.plan):
        with pytest.raises(StateError, match="another key"):
            verb()
    assert world.count() == writes
    world.store = right
    world.run()
    assert world.crm.values(lead)["Name"] == "Park"


def test_a_state_with_values_is_not_gone_on_with(worlds, tmp_path):
    world = worlds(tmp_path)
    world.pair()
    writes, plain = world.count(), world.store
    world.store = FingerprintStore(plain, key=KEY)
    with pytest.raises(StateError, match="written with values"):
        world.run()
    world.store = plain
    world.settle()
    assert world.count() == writes


def test_a_state_of_fingerprints_is_not_gone_on_with_as_one_of_values(worlds, tmp_path):
    world = sealed_world(worlds, tmp_path)
    person, _ = world.pair()
    world.settle()
    world.ma.edit(person, name="Park")
    world.left(email="KIM@x.example", name="whom hashed keys alone would tell from a new one")
    writes, sealed = world.count(), world.store
    world.store = sealed._store
    for verb in (world.run, world.plan):
        with pytest.raises(StateError, match="FingerprintStore"):
            verb()
    assert world.count() == writes
    world.store = sealed
    assert world.run().writes == 1


def test_tenants_and_pipelines_share_a_key(worlds):
    world = sealed_world(worlds)
    whole = world.store
    world.store = whole.tenant("acme")
    world.pair()
    assert len(world.links()) == 1
    assert list(whole.links.all("sync")) == []
    with world.store as part:
        assert part.links.count("sync") == 1


def test_a_forgotten_person_is_not_taken_up_again(worlds):
    world = sealed_world(worlds)
    person, lead = world.pair()
    assert world.store.forget([person]) == 1
    world.ma.edit(person, name="again")
    world.settle()
    assert world.crm.values(lead)["Name"] == "Kim"


def test_a_crash_while_a_plan_is_carried_out_is_made_good(worlds):
    world = sealed_world(worlds)
    for n in range(5):
        world.left(email=f"p{n}@x.example", name="Kim")
    plan = world.plan()
    with pytest.raises(SimulatedCrash):
        world.ready(driver=SimDriver(clock=world.clock, crash_after=14)).run(plan)
    world.settle()
    assert len(world.crm.rows("lead")) == 5
