"""What a batch has decided about links is read as a store would tell it, once it holds that."""

from __future__ import annotations

import datetime as dt
from itertools import count

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmbridge._engine._run import Run
from crmbridge._engine._ties import linked, links_of, lives_on
from crmbridge.model import Agreed, Link, Merged, RecordRef
from crmbridge.reasons import Code, because
from crmbridge.roles import Delta
from crmbridge.stores.memory import MemoryStore
from crmbridge.testing.sim import ManualClock, SimDriver

NOTHING = Agreed.nothing(())
LEFT = [RecordRef("ma", "person", f"p{number}") for number in range(4)]
RIGHT = [RecordRef("crm", "lead", f"l{number}") for number in range(4)]
EVERY = {"left": LEFT, "right": RIGHT}


@st.composite
def changes(draw):
    """Draw links as they stand, and how some of them follow or end; no record has two live links before or after."""
    since = count()
    born = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def made(number, left, right, closed):
        why = because(Code.DETACHED, system="ma") if closed else None
        at = born + dt.timedelta(days=next(since) % 3)
        return Link(f"k{number}", LEFT[left], RIGHT[right], NOTHING, NOTHING, at, closed=why)

    places = st.integers(0, 3)
    rows = draw(st.lists(st.tuples(places, places, st.booleans()), max_size=5))
    before = one_each([made(number, *row) for number, row in enumerate(rows)])
    moves = draw(st.lists(st.tuples(st.sampled_from(before), places, st.booleans()), max_size=4)) if before else []
    after = {link.id: link for link in before}
    for link, left, ends in moves:
        now = attrs.evolve(after[link.id], left=LEFT[left])
        after[link.id] = attrs.evolve(now, closed=because(Code.DUPLICATE_OF, record="p")) if ends else now
    whole = one_each(list(after.values()))
    return before, [link for link in whole if link not in before]


def one_each(links):
    """Close whatever would be a second live link of a record."""
    held, found = set(), []
    for link in links:
        taken = link.closed is None and {link.left, link.right} & held
        held |= set() if link.closed or taken else {link.left, link.right}
        found.append(attrs.evolve(link, closed=because(Code.DUPLICATE_OF, record="p")) if taken else link)
    return found


def departures():
    """Draw who lives on as whom by the numbers of left records, each once and never in a circle, as one reading tells it."""
    order = st.permutations(range(4))
    ahead = st.lists(st.integers(1, 3), min_size=4, max_size=4)
    return st.tuples(order, ahead).map(
        lambda drawn: {
            one: drawn[0][place + step]
            for place, (one, step) in enumerate(zip(*drawn, strict=True))
            if place + step < 4
        }
    )


def told(lives):
    return [("left", Merged(LEFT[one], LEFT[into])) for one, into in lives.items()]


class Bench:
    """A run and its store, asked by the side of each other."""

    def __init__(self, definition):
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.fence = self.store.leases.take("sync", "test", self.clock.now(), dt.timedelta(hours=1))
        self.driver = SimDriver(clock=self.clock)
        self.run = Run(
            definition, self.store, self.clock, "sync-run-1", self.fence,
            bring=lambda run, rows: iter(()),
        )  # fmt: skip

    def put(self, **delta):
        self.store.commit("sync", Delta(**delta), self.fence)

    def asked(self, flow):
        return self.driver.run(flow, store=self.store)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes())
def test_links_are_read_as_a_store_tells_them_once_it_holds_the_change(world, drawn):
    before, after = drawn
    bench = Bench(world.pipeline().definition)
    bench.put(links=tuple(before))
    was = {link.id: link for link in before}
    for link in after:
        bench.run.relinked.put(was[link.id], link)
    read = {
        side: (
            bench.asked(links_of(bench.run, side, refs)),
            bench.asked(linked(bench.run, side, refs)),
        )
        for side, refs in EVERY.items()
    }
    bench.put(links=bench.run.relinked.links)
    for side, refs in EVERY.items():
        links, live = read[side]
        assert {ref: list(known) for ref, known in links.items()} == {
            ref: list(known) for ref, known in bench.store.links.of("sync", side, refs).items()
        }
        standing = bench.store.links.standing("sync", side, refs)
        assert live == {ref for ref in refs if ref in standing and standing[ref].linked}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(departures(), departures())
def test_records_are_followed_as_a_store_follows_them_once_it_holds_the_departures(world, before, after):
    bench = Bench(world.pipeline().definition)
    bench.put(departures=told(before))
    for side, gone in told({one: into for one, into in after.items() if one not in before}):
        bench.run.relinked.depart(side, gone)
    read = bench.asked(lives_on(bench.run, "left", LEFT))
    bench.put(departures=bench.run.relinked.departures)
    assert read == bench.store.links.followed("sync", "left", LEFT)
