"""A month of hourly runs, `CRMBRIDGE_DAYS=365` a year: the state grows with what was written, and with nothing else."""

from __future__ import annotations

import datetime as dt
import os
import random
import sqlite3

HOUR = dt.timedelta(hours=1)
DAYS = int(os.environ.get("CRMBRIDGE_DAYS", "30"))
TOLD = {"journal", "runs", "decisions"}
"""What is kept so that people can ask why: a few rows for each run that found something, and for each write."""


def sizes(path):
    """Count the rows of each table of a state file."""
    connection = sqlite3.connect(path)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    counted = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    connection.close()
    return counted


def test_with_a_limit_to_its_history_the_state_does_not_grow_at_all(worlds, tmp_path, seed):
    world, chance, kept = worlds(tmp_path), random.Random(seed), 3
    pipe = world.pipeline().retain(days=kept)
    people = [world.left(email=f"p{n}@x.example", name=f"n{n}", city="Tokyo") for n in range(8)]
    world.settle(pipe)
    leads = [world.counterpart(person) for person in people]
    early = sizes(tmp_path / "state.db")
    edits: list[int] = []
    for day in range(DAYS):
        edits.append(0)
        for hour in range(0, 24, 4):
            if chance.random() < 0.6:
                edits[-1] += 1
                world.ma.edit(chance.choice(people), name=f"n{day} {hour}")
                world.crm.edit(chance.choice(leads), City=f"c{day} {hour}")
            world.run(pipe, after=4 * HOUR)
        late = sizes(tmp_path / "state.db")
        assert {name: late[name] for name in late if name not in TOLD} == {
            name: early[name] for name in early if name not in TOLD
        }
        if day > kept:
            for name in TOLD:
                assert late[name] <= 8 * sum(edits[-kept - 1 :]), f"day {day}: {name}"
    assert late["journal"] < sum(edits), "what was written long ago is gone"
    left = sorted((record.get("email"), record.get("name"), record.get("city")) for record in world.ma.every("person"))
    right = sorted((record.get("Email"), record.get("Name"), record.get("City")) for record in world.crm.every("lead"))
    assert left == right, "I3"


def test_the_state_grows_with_what_was_written_and_all_stays_in_step(worlds, tmp_path, seed, record_property):
    world, chance, edits = worlds(tmp_path), random.Random(seed), 0
    pipe = world.pipeline()
    people = [world.left(email=f"p{n}@x.example", name=f"n{n}", city="Tokyo") for n in range(8)]
    world.settle(pipe)
    leads = [world.counterpart(person) for person in people]
    early = sizes(tmp_path / "state.db")
    for day in range(DAYS):
        for hour in range(24):
            if chance.random() < 0.15:
                edits += 1
                world.ma.edit(chance.choice(people), name=f"n{day} {hour}")
                world.crm.edit(chance.choice(leads), City=f"c{day} {hour}")
            world.run(pipe, after=HOUR)
    world.run(pipe, after=HOUR)
    writes = world.count()
    world.run(pipe, after=HOUR)
    assert world.count() == writes, "I4"
    left = sorted((record.get("email"), record.get("name"), record.get("city")) for record in world.ma.every("person"))
    right = sorted((record.get("Email"), record.get("Name"), record.get("City")) for record in world.crm.every("lead"))
    assert left == right, "I3"
    late = sizes(tmp_path / "state.db")
    assert {name: late[name] for name in late if name not in TOLD} == {
        name: early[name] for name in early if name not in TOLD
    }
    for name in TOLD:
        assert late[name] - early[name] <= 8 * edits, "quiet hours leave nothing behind"
    record_property("days", DAYS)
