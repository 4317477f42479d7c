"""Whatever was merged, converted, edited or removed: a plan that is run at once does what it lists."""

from __future__ import annotations

import itertools

import pytest

from crmbridge import policies

MERGES = [
    (verb, one, into) for verb in ("merge left", "merge right") for one, into in itertools.permutations(range(3), 2)
]
DEEDS = [
    *MERGES,
    *itertools.product(("edit left", "edit right", "remove left", "remove right", "key", "convert"), range(2)),
]
LIVES = [
    *((deed,) for deed in DEEDS),
    *(two for two in itertools.permutations(DEEDS, 2) if any(deed in MERGES for deed in two)),
]


class People:
    """Three people in both systems, and what is done to them."""

    def __init__(self, world, pipe):
        self.world = world
        self.left = [world.left(email=f"{number}@x.example", name=f"N{number}") for number in range(3)]
        world.settle(pipe)
        self.right = [world.counterpart(person) for person in self.left]

    def does(self, verb, *who):
        """Do a thing; says whether it could be done."""
        left, right = [self.left[one] for one in who], [self.right[one] for one in who]
        ends = left if verb in {"merge left", "edit left", "remove left", "key"} else right
        system = self.world.ma if ends is left else self.world.crm
        there = {row["id"] for kind in {ref.kind for ref in ends} for row in system.rows(kind)}
        if any(ref.id not in there for ref in ends) or len({ref.kind for ref in ends}) > 1:
            return False
        match verb.split():
            case ["merge", _]:
                system.merge(*ends)
            case ["edit", "left"]:
                system.edit(*ends, name="edited")
            case ["edit", "right"]:
                system.edit(*ends, City="edited")
            case ["remove", _]:
                system.remove(*ends)
            case ["key"]:
                system.edit(*ends, email="new@x.example")
            case _:
                number = who[0]
                self.right[number] = system.move(*ends, "contact", Email=f"{number}@x.example", Name=f"N{number}")
        return True


def ended(handle):
    return {row.ref: (row.disposition, row.because.code, len(row.actions)) for row in handle.rows()}


def removes(life):
    return any(deed[0].startswith("remove") for deed in life)


@pytest.mark.parametrize("told", [True, False], ids=["merges are told", "merges are not told"])
@pytest.mark.parametrize("size", [200, 1], ids=["one batch", "a record a batch"])
def test_a_plan_that_is_run_at_once_does_what_it_lists(worlds, promises, told, size):
    # What a run itself has removed is gone for its later batches; a plan removes nothing, and what differs then is held.
    lives = LIVES if size > 1 else [life for life in LIVES if not removes(life)]
    for life in lives[::4]:
        world = worlds(capabilities=promises(sees_merges=told), right_kinds=("contact", "lead"))
        pipe = world.pipeline(policies.left_wins, left="delete", right="archive", if_edited="revive").batches(of=size)
        people = People(world, pipe)
        if all(people.does(*deed) for deed in life):
            plan = world.plan(pipe)
            report = world.run(pipe, plan=plan)
            assert ended(report) == ended(plan), life
