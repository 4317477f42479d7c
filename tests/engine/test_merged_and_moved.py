"""Merges and conversions in any order, with runs in between or none: each survivor keeps the counterpart that it had."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from crmbridge.model import RecordRef
from crmbridge.reasons import Code

NAMES = ("Kim", "Mai", "Sei")

Step = tuple[str, str | None]
"""Who is merged into whom; into nobody: who is converted."""


def lives(steps: int, alive: dict[str, str]) -> Iterator[tuple[Step, ...]]:
    """Give every order of so many steps; *alive* tells by name of which kind a record is by now."""
    if not steps:
        yield ()
        return
    for name, kind in alive.items():
        if kind == "lead":
            for rest in lives(steps - 1, {**alive, name: "contact"}):
                yield ((name, None), *rest)
        for winner, other in alive.items():
            if winner != name and other == kind:
                left = {one: known for one, known in alive.items() if one != name}
                for rest in lives(steps - 1, left):
                    yield ((name, winner), *rest)


def live(world, steps, runs):
    """Let people do the steps; gives who lives on as which record."""
    people = {name: world.left(email=f"{name}@x.example", name=name, city="Tokyo") for name in NAMES}
    world.settle()
    now: dict[str, RecordRef] = {name: world.counterpart(ref) for name, ref in people.items()}
    before = world.count(), world.ma.rows("person")
    for (name, winner), run in itertools.zip_longest(steps, runs):
        if winner is None:
            now[name] = world.crm.move(now[name], "contact", Email=f"{name}@x.example", Name=name, City="Tokyo")
        else:
            world.crm.merge(now.pop(name), now[winner])
        if run:
            world.settle(rounds=1)
    world.settle()
    assert (world.count(), world.ma.rows("person")) == before, "nobody was written to"
    return people, now


@pytest.mark.parametrize("page", [1, 2000], ids=["a record a page", "one page"])
@pytest.mark.parametrize("runs", list(itertools.product((False, True), repeat=2)), ids=str)
def test_each_survivor_keeps_its_counterpart_in_whatever_order_records_are_merged_and_converted(worlds, page, runs):
    for steps in lives(3, dict.fromkeys(NAMES, "lead")):
        world = worlds(right_kinds=("contact", "lead"), page=page)
        people, now = live(world, steps, runs)
        held = {link.left: link.right for link in world.links()}
        assert held == {people[name]: ref for name, ref in now.items()}, steps
        assert {link.closed.code for link in world.closed()} <= {Code.DUPLICATE_OF}, steps
        assert {link.left for link in world.closed()} == {people[name] for name in NAMES if name not in now}, steps
