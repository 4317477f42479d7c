"""A program that syncs: it imports all that is needed once, then forks a worker for each line that it is told.

`start JSON` answers with the number of a new process, `wait PID` with how that one ended. Of a worker everything but
the imports is new: it opens the state, runs once, says in a file of its own number what came of it, and closes the state.
Told `short`, of memory or of files, it may have only so much more than it has when it begins. Told `until`, the path of a file, it does so over and over until that file is there, and adds a line a run to `runs`.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import mmap
import os
import resource
import struct
import sys
import time
import traceback
from contextlib import contextmanager, nullcontext
from pathlib import Path

from crmbridge.adapters.account_engagement import AccountEngagement
from crmbridge.adapters.salesforce import Salesforce
from crmbridge.blueprints.account_engagement_salesforce import Settings, build
from crmbridge.drive import Driver
from crmbridge.errors import CrmBridgeError
from crmbridge.stores import PostgresStore, SqliteStore
from crmbridge.testing.sim import ManualClock

LATER = ("asyncio", "httpcore", "encodings.idna", "crmbridge._engine.sweep", "crmbridge.drive._async")
"""What a run imports when it needs it."""

SETTINGS = Settings(create_prospects=True, masters={"jobTitle": "account_engagement"})


class SharedClock(ManualClock):
    """A clock that is advanced by another process, through a file; pauses of this one advance it for this one alone."""

    def __init__(self, path):
        super().__init__()
        with Path(path).open("rb") as file:
            self._shared = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def monotonic(self):
        return struct.unpack("d", self._shared)[0] + super().monotonic()

    def now(self):
        return self._start + dt.timedelta(seconds=self.monotonic())


def opened(state):
    """Open the state that an order names: a file, or a schema of a database."""
    return PostgresStore(state["dsn"], schema=state["schema"]) if "dsn" in state else SqliteStore(state["path"])


def pipeline(order, store):
    """Build the blueprint against the ports that an order names."""
    ae, sf = order["ae"], order["sf"]
    left = AccountEngagement.connect(
        ae["url"], token_url=f"{ae['url']}/services/oauth2/token", client_id=ae["client_id"],
        client_secret=ae["client_secret"], business_unit_id=ae["business_unit_id"],
    )  # fmt: skip
    right = Salesforce.connect(sf["url"], sf["client_id"], sf["client_secret"], external_ids=order["external_ids"])
    return build(left, right, SETTINGS, store=store).leased(minutes=5).batches(of=order["batch"])


@contextmanager
def short(of, more):
    """Let this process have only so much more of something than it has now: bytes of memory, or open files."""
    limit = {"memory": resource.RLIMIT_AS, "files": resource.RLIMIT_NOFILE}[of]
    if of == "memory":
        has = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    else:
        has = len(list(Path("/proc/self/fd").iterdir())) - 1
    before = resource.getrlimit(limit)
    resource.setrlimit(limit, (has + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(limit, before)


def work(order):
    """Run once, by the clock that the order names; pauses take no time. Give what came of it."""
    try:
        with short(*order["short"]) if "short" in order else nullcontext(), opened(order["state"]) as store:
            clock = SharedClock(order["clock"])
            with Driver(store, clock=clock, seed=order["seed"]) as driver:
                report = pipeline(order, store).using(driver).run()
    # Where memory ends in its own machinery, the interpreter says `SystemError`.
    except (CrmBridgeError, MemoryError, OSError, SystemError) as refused:
        return {"refused": type(refused).__name__, "why": str(refused)}
    ended = {str(disposition): number for disposition, number in report.counts.items() if number}
    return {"read": report.read, "ended": ended, "writes": report.writes}


def once(order):
    """Run once, and say what came of it in a file of one's own."""
    Path(order["said"], f"{os.getpid()}.json").write_text(json.dumps(work(order)), "utf-8")


def over_and_over(order):
    """Run until somebody says that it is enough; each run has a clock, a driver and a store of its own."""
    clock, runs = SharedClock(order["clock"]), Path(order["said"], "runs")
    while not Path(order["until"]).exists():
        line = {"by": os.getpid(), "began": clock.monotonic(), **work(order), "ended_at": clock.monotonic()}
        with runs.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        time.sleep(0.05)


def main():
    for name in LATER:
        importlib.import_module(name)
    for line in sys.stdin:
        what, _, told = line.partition(" ")
        if what == "wait":
            print(os.waitstatus_to_exitcode(os.waitpid(int(told), 0)[1]), flush=True)
        elif born := os.fork():
            print(born, flush=True)
        else:
            ended = 70
            try:
                order = json.loads(told)
                (over_and_over if "until" in order else once)(order)
                ended = 0
            except KeyboardInterrupt:
                ended = 130
            except Exception:  # noqa: BLE001 - the process ends below
                traceback.print_exc()
            finally:
                # Never back into the loop: it is the parent's.
                sys.stdout.flush()
                os._exit(ended)


if __name__ == "__main__":
    main()
