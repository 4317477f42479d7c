"""A small pipeline of a user's own: people of a shop and leads of a CRM, both in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from crmbridge import Pipeline, at, key, level, pair, policies, two_way
from crmbridge.model import CreateClass, FieldSpec
from crmbridge.protocols import FieldPolicy
from crmbridge.testing.connector import EVERYTHING, described
from crmbridge.testing.faulty import FaultyConnector
from crmbridge.testing.sim import ManualClock
from crmbridge.testing.simulation import SimWorld

KEYED = attrs.evolve(EVERYTHING, creates=CreateClass.A, create_key="@key", settles_in=dt.timedelta(minutes=1))
MARKED = attrs.evolve(KEYED, creates=CreateClass.B)
LONE = attrs.evolve(KEYED, creates=CreateClass.C, create_key=None, finds_by=frozenset({"email", "Email"}))


@attrs.define(eq=False)
class Shop:
    """What a user writes to simulate a pipeline: how a world is made, and how the pipeline is built in it."""

    crm: type[FaultyConnector] = FaultyConnector
    policy: FieldPolicy = policies.right_wins
    more: Callable[[Pipeline], Pipeline] = lambda pipeline: pipeline
    world_more: dict[str, Any] = attrs.field(factory=dict)
    able: dict[str, Any] = attrs.field(factory=dict)
    """Promises of both systems that differ from the usual ones."""

    def world(self, seed: int) -> SimWorld:
        able = attrs.evolve((KEYED, MARKED, LONE)[seed % 3], **self.able)
        clock = ManualClock()
        fields = [(FieldSpec(low), FieldSpec(low.title())) for low in ("email", "name", "city")]
        shop = FaultyConnector(
            "shop", described("person", *(one for one, _ in fields)), capabilities=able, now=clock.now
        )
        crm = self.crm("crm", described("lead", *(two for _, two in fields)), capabilities=able, now=clock.now)
        return SimWorld(clock, shop, crm, **self.world_more)

    def build(self, world: SimWorld) -> Pipeline:
        pipeline = (
            two_way("people", at(world.left, "person"), at(world.right, "lead"))
            .match(level("email", key("email", "Email")))
            .creates(left=True, right=True)
            .fields(pair("email", "Email"), pair("name", "Name"), pair("city", "City"), policy=self.policy)
        )
        return self.more(pipeline)


@pytest.fixture
def shop() -> type[Shop]:
    return Shop
