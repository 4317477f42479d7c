"""Two systems on real ports in this process, and workers in processes of their own, which may be struck at any moment."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from crmbridge.reasons import Code
from crmbridge.stores import PostgresStore, SqliteStore
from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.sim import ManualClock
from crmbridge.testing.tables import Field

QUIET = 3600
"""Seconds, longer than any lease, overlap and settle time of the two systems."""

LEASE = 300
"""Seconds for which a worker takes the partition, as `worker.py` has it."""

PIPELINE = "account_engagement_salesforce"
PATIENCE = 60.0

_STRUCK = (-signal.SIGKILL, -signal.SIGTERM, 130)
"""How a worker ends that was struck: by the signal, or by `KeyboardInterrupt`."""


@attrs.frozen
class Strike:
    """A signal to a worker: some seconds after its birth, or at its n-th request, before or after that is handled."""

    signal: signal.Signals
    seconds: float | None = None
    request: int = 0
    moment: str = "before"


@attrs.define(eq=False)
class Target:
    """Counts the requests that arrive, and strikes the worker that waits for the answer."""

    pid: int = 0
    strike: Strike | None = None
    arrived: int = 0
    hit: threading.Event = attrs.field(factory=threading.Event)

    def aim(self, pid: int, strike: Strike) -> None:
        """Strike this worker, at a request that is yet to come."""
        self.pid, self.strike, self.arrived = pid, strike, 0
        self.hit.clear()

    def pass_by(self, moment: str) -> None:
        """Count a request, and strike if it is the one."""
        self.arrived += moment == "before"
        if (strike := self.strike) and (self.arrived, moment) == (strike.request, strike.moment):
            self.strike = None
            os.kill(self.pid, strike.signal)
            self.hit.set()


class SharedClock(ManualClock):
    """A clock that workers read in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.path.write_bytes(struct.pack("d", 0.0))

    def advance(self, by: float | dt.timedelta) -> None:
        super().advance(by)
        with self.path.open("r+b") as file:
            file.write(struct.pack("d", self.monotonic()))


class Workers:
    """The program `worker.py`, which gives birth to workers."""

    def __init__(self) -> None:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        self._program = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("worker.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def _ask(self, line: str) -> int:
        assert self._program.stdin
        assert self._program.stdout
        self._program.stdin.write(line + "\n")
        self._program.stdin.flush()
        return int(self._program.stdout.readline())

    def start(self, order: dict[str, Any]) -> int:
        """Let a worker begin, and give its process."""
        return self._ask(f"start {json.dumps(order)}")

    def wait(self, pid: int) -> int:
        """Wait until a worker has ended; a negative number is the signal that ended it."""
        return self._ask(f"wait {pid}")

    def close(self) -> None:
        """End the program; no worker is left."""
        self._program.communicate()


class Town:
    """Both systems, what people write there, one state, and the laws."""

    def __init__(
        self, workers: Workers, target: Target, state: dict[str, str], folder: Path, seed: int, *, keyed: bool
    ) -> None:
        self.workers, self.target, self.state, self.keyed = workers, target, state, keyed
        self.chance = random.Random(seed)
        self.clock = SharedClock(folder / "clock")
        self.seed = seed
        self.ended = Counter[str]()
        """How workers ended, to see that strikes struck."""
        self.doubts = 0
        """How many records were left to a person when the laws were last asked."""
        self._folder = folder
        self._words = 0
        self._wanted: dict[str, tuple[str, str]] = {}
        """The city and title that each person must have in the end, by the word that is the person's name."""
        watched = self.target.pass_by

        class Prospects(FakeAccountEngagement):
            def exchange(self, request: httpx.Request) -> httpx.Response:
                watched("before")
                response = super().exchange(request)
                watched("after")
                return response

        class People(FakeSalesforce):
            def exchange(self, request: httpx.Request) -> httpx.Response:
                watched("before")
                response = super().exchange(request)
                watched("after")
                return response

        self.ae, self.sf = Prospects(now=self.clock.now, seed=seed), People(now=self.clock.now, seed=seed)
        self.sf.add_field("Lead", Field("Ext_Id__c", length=64, unique=True, external_id=True))
        seller = self.sf.put("User", LastName="佐藤", Username="sato@org.example", Email="sato@org.example")
        self.seller = self.ae.put("user", email="sato@org.example", lastName="佐藤", salesforceId=seller)

    # -- people ------------------------------------------------------------------------------

    def edit(self) -> None:
        """Let people make three persons and change three."""
        for make in (self._prospect, self._prospect, self._lead):
            make()
        for _ in range(3):
            self._change()

    def _word(self) -> str:
        self._words += 1
        return f"w{self._words:05d}"

    def _prospect(self) -> None:
        name, city, title = self._word(), self._word(), self._word()
        self.ae.put(
            "prospect", email=f"{name}@x.example", lastName=name, city=city, jobTitle=title, company="株式会社東都",
            assignedToId=self.seller,
        )  # fmt: skip
        self._wanted[name] = (city, title)

    def _lead(self) -> None:
        name, city, title = self._word(), self._word(), self._word()
        self.sf.put("Lead", Email=f"{name}@x.example", LastName=name, City=city, Title=title, Company="株式会社東都")
        self._wanted[name] = (city, title)

    def _change(self) -> None:
        """Change a field of one record at the side that is its master, so that no two edits compete."""
        word = self._word()
        if self.chance.random() < 0.5:
            row = self.chance.choice(self.ae.rows("prospect"))
            self.ae.edit("prospect", str(row["id"]), jobTitle=word)
            self._wanted[row["lastName"]] = (self._wanted[row["lastName"]][0], word)
        else:
            row = self.chance.choice(self.sf.rows("Lead"))
            self.sf.edit("Lead", row["Id"], City=word)
            self._wanted[row["LastName"]] = (word, self._wanted[row["LastName"]][1])

    # -- workers -----------------------------------------------------------------------------

    def order(self) -> dict[str, Any]:
        """Write what a worker is told."""
        ae, sf = self.ae.credentials, self.sf.credentials
        return {
            "ae": {"url": self.ae_url, **{name: ae[name] for name in ("client_id", "client_secret", "business_unit_id")}},
            "sf": {"url": self.sf_url, **{name: sf[name] for name in ("client_id", "client_secret")}},
            "external_ids": {"Lead": "Ext_Id__c"} if self.keyed else {}, "state": self.state, "clock": str(self.clock.path),
            "said": str(self._folder), "batch": 2, "seed": self.chance.randrange(10**6),
        }  # fmt: skip

    def run(self, strike: Strike | None = None) -> dict[str, Any] | None:
        """Run a worker, struck or not; give what it said, None where it did not live to."""
        self.clock.advance(self.chance.choice((1, 60)))
        pid = self.begin(strike)
        if strike and strike.seconds is not None:
            time.sleep(strike.seconds)
            os.kill(pid, strike.signal)
        return self.end(pid, struck=strike is not None)

    def run_short(self, of: str, more: int) -> str:
        """Run a worker that may have only so much more memory, or files; tell how it ended."""
        pid = self.workers.start(self.order() | {"short": [of, more]})
        told = self.end(pid, struck=False)
        assert told
        return str(told.get("refused", "well"))

    def begin(self, strike: Strike | None = None) -> int:
        """Let a worker begin, with a strike that waits for one of its requests."""
        pid = self.workers.start(self.order())
        if strike and strike.seconds is None:
            self.target.aim(pid, strike)
        return pid

    def end(self, pid: int, *, struck: bool) -> dict[str, Any] | None:
        """Wait for a worker, which ends well unless it was struck."""
        status = self.workers.wait(pid)
        self.target.strike = None
        if struck and status in _STRUCK:
            self.ended["killed"] += 1
            return None
        assert status == 0, status
        told: dict[str, Any] = json.loads((self._folder / f"{pid}.json").read_text("utf-8"))
        self.ended[told.get("refused", "well")] += 1
        return told

    # -- a crew ------------------------------------------------------------------------------

    @contextmanager
    def crew(self, many: int) -> Iterator[list[int]]:
        """Let workers run over and over, while time passes a hundred times as fast as ours; gives their processes."""
        until, over = self._folder / "until", threading.Event()
        until.unlink(missing_ok=True)

        def pass_time() -> None:
            while not over.wait(0.02):
                self.clock.advance(2)

        ticking = threading.Thread(target=pass_time)
        ticking.start()
        pids = [self.workers.start(self.order() | {"until": str(until)}) for _ in range(many)]
        try:
            yield pids
        finally:
            until.touch()
            ended = [self.workers.wait(pid) for pid in pids]
            over.set()
            ticking.join()
        assert ended == [0] * len(pids), "whoever was not killed ends well"

    def replace(self, pids: list[int]) -> tuple[int, float]:
        """Kill one of a crew, and let another begin in its place; gives who died, and when by the clock."""
        pid = pids.pop(self.chance.randrange(len(pids)))
        os.kill(pid, signal.SIGKILL)
        died = self.clock.monotonic()
        assert self.workers.wait(pid) == -signal.SIGKILL
        self.ended["killed"] += 1
        pids.append(self.workers.start(self.order() | {"until": str(self._folder / "until")}))
        return pid, died

    def runs(self) -> list[dict[str, Any]]:
        """Give what the workers of a crew have said, run by run; a line that is being written is left out."""
        path = self._folder / "runs"
        said = path.read_text("utf-8") if path.exists() else ""
        return [json.loads(line) for line in said.splitlines(keepends=True) if line.endswith("\n")]

    def taken_over(self, died: float) -> float:
        """Wait for a run that began after a death, and ended well; give the seconds in between, by the clock."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            began = [run["began"] for run in self.runs() if run["began"] >= died and "refused" not in run]
            if began:
                return float(min(began) - died)
            time.sleep(0.02)
        raise AssertionError(f"nobody took over: {Counter(run.get('refused') for run in self.runs())}")

    # -- laws --------------------------------------------------------------------------------

    def settle(self, rounds: int = 3) -> None:
        """Let all come to rest, undisturbed; then ask the laws."""
        for _ in range(rounds):
            self.clock.advance(QUIET)
            told = self.run()
            assert told
            assert "refused" not in told, told
            assert told["read"] == sum(told["ended"].values()), "I7: the counts add up to what was read"
        self.clock.advance(QUIET)
        before = self.writes()
        told = self.run()
        assert told
        assert self.writes() == before, "I4: once all is at rest, nothing is written"
        self.judge()

    def writes(self) -> int:
        """Count what was ever written, by workers and people."""
        return len(self.ae.ledger) + len(self.sf.ledger)

    def known(self) -> str:
        """Tell what the state knows of records."""
        with self._store() as store:
            told = [*store.links.all(PIPELINE), *store.quarantine.rows(PIPELINE, None)]
            return repr(
                [told, store.outbox.unsettled(PIPELINE, 100), store.links.progress(PIPELINE, "left", "prospect")]
            )

    def judge(self) -> None:
        """Ask the ledgers and rows of both systems whether the laws hold."""
        created = Counter(
            str(write.values.get("LastName") or write.values.get("lastName"))
            for fake in (self.ae, self.sf)
            for write in fake.ledger
            if write.verb == "create" and write.request
        )
        assert {name: count for name, count in created.items() if count > 1} == {}, "I1: created at most once"
        left = {row["lastName"]: (row["city"], row["jobTitle"]) for row in self.ae.rows("prospect")}
        right = {row["LastName"]: (row["City"], row["Title"]) for row in self.sf.rows("Lead")}
        names = {str(row["id"]): row["lastName"] for row in self.ae.rows("prospect")}
        names |= {row["Id"]: row["LastName"] for row in self.sf.rows("Lead")}
        with self._store() as store:
            parked = [(names[row.ref.id], row.because and row.because.code) for row in
                      store.quarantine.rows(PIPELINE, None)]  # fmt: skip
            assert not self.keyed or not parked
            doubted = {name for name, why in parked if why == Code.IN_DOUBT}
            held = {name for name, why in parked if why == Code.INTENT_OPEN}
            assert len(parked) == len(doubted) + len(held), parked
            assert len(list(store.outbox.unsettled(PIPELINE, 10_000))) == len(doubted)
            assert store.links.count(PIPELINE) == len(self._wanted.keys() - doubted - held)
        self.doubts = len(doubted)
        there = {name: both for name, both in self._wanted.items() if name not in doubted | held}
        assert {name: left.get(name) for name in there} == there, "I6: nothing read was forgotten"
        assert {name: right.get(name) for name in there} == there, "I6: nothing read was forgotten"
        assert left.keys() | right.keys() == self._wanted.keys()
        assert doubted.isdisjoint(right), "a copy that was made is found, and not left to a person"
        assert held.isdisjoint(left), "what came up while a create was in doubt may be its copy"
        if "path" in self.state:
            connection = sqlite3.connect(self.state["path"])
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            connection.close()

    def _store(self) -> SqliteStore | PostgresStore:
        if "dsn" in self.state:
            return PostgresStore(self.state["dsn"], schema=self.state["schema"])
        return SqliteStore(self.state["path"])


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """One program for all tests, since most of a worker's life would be its imports."""
    if not hasattr(os, "fork"):
        pytest.skip("processes are forked here")
    program = Workers()
    yield program
    program.close()


@pytest.fixture
def towns(workers: Workers, tmp_path: Path) -> Callable[..., Any]:
    """Make towns, each with its systems on ports of their own while it is used."""

    @contextmanager
    def town(seed: int, state: dict[str, str] | None = None, *, keyed: bool = True) -> Iterator[Town]:
        folder = tmp_path / str(seed)
        folder.mkdir()
        made = Town(workers, Target(), state or {"path": str(folder / "state.db")}, folder, seed, keyed=keyed)
        with ExitStack() as stack:
            made.ae_url = stack.enter_context(made.ae.serve())
            made.sf_url = stack.enter_context(made.sf.serve())
            yield made

    return town


@pytest.fixture
def strike() -> type[Strike]:
    """Make strikes."""
    return Strike


@pytest.fixture
def lease() -> int:
    """The seconds for which a worker takes the partition."""
    return LEASE
