"""What may happen to a state file, its disk and its processes; and what is then still true."""

import contextlib
import datetime as dt
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import attrs
import pytest

from crmbridge import wire
from crmbridge.credentials import Secret
from crmbridge.errors import LeaseHeld, StateError, StoreDamaged, StoreTooNew
from crmbridge.model import Agreed
from crmbridge.reasons import Code, because
from crmbridge.roles import Delta, Progress, QueueRow, Ruling, Token
from crmbridge.stores import SqliteStore
from crmbridge.stores._bodies import decision_of, intent_of, journal_of
from crmbridge.stores._sqlite.database import Database
from crmbridge.stores._sqlite.opening import connect, network_file_system, set_up
from crmbridge.stores._sqlite.schema import MIGRATIONS
from crmbridge.testing._store_laws.values import HOUR, NOW, PEOPLE, commit, decision, left, link, noted, row
from crmbridge.testing._store_laws.whole import EVERYTHING, all_that_is_known

CANARY = "canary-51b7c0"
FILES = int(os.environ.get("CRMBRIDGE_FILES", "60"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


def run(program, *args):
    """Start a Python program of a few lines that knows this module's names."""
    head = "import sys; sys.path[:0] = sys.argv[1].split(chr(10)); from helpers_of_faults import *\n"
    names = [*sys.path, str(Path(__file__).parent)]
    return subprocess.Popen(
        [sys.executable, "-c", head + program, "\n".join(names), *map(str, args)], stdout=subprocess.PIPE, text=True
    )


def sound(path):
    """Say whether SQLite finds the file whole."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


# -- crashes -----------------------------------------------------------------------------


class Tripping(sqlite3.Connection):
    """Fails at one statement of those that it is told to count."""

    left: int | None = None
    trips = (-1,)

    def _count(self):
        if self.left is not None:
            self.left -= 1
            if self.left in self.trips:
                raise KeyboardInterrupt

    def execute(self, *args):
        self._count()
        return super().execute(*args)

    def executemany(self, *args):
        self._count()
        return super().executemany(*args)


@pytest.mark.parametrize("trips", [(-1,), (-1, -2)], ids=["once", "and in its roll-back"])
def test_a_commit_that_is_interrupted_at_any_statement_changes_nothing(path, trips):
    made = []

    def tripping(where):
        made.append(sqlite3.connect(where, check_same_thread=False, factory=Tripping))
        return made[-1]

    with SqliteStore(path, connect=tripping) as store:
        [connection] = made
        connection.trips = trips
        commit(store, links=(link(5),))
        fence = store.leases.take("p", "one", NOW, HOUR)
        before = all_that_is_known(store)
        for statements in range(1000):
            connection.left = statements
            try:
                store.commit(PEOPLE, EVERYTHING, fence)
            except KeyboardInterrupt:
                connection.left = None
                assert all_that_is_known(store) == before
            else:
                break
        connection.left = None
        assert statements > 30, "each statement of the commit was interrupted once"
        assert all_that_is_known(store) != before


DIE_AT = """
counted = 0
def tick(statement):
    global counted
    counted += 1
    if armed and counted > int(sys.argv[3]):
        os._exit(9)
def connected(where):
    connection = connect(where)
    connection.set_trace_callback(tick)
    return connection
"""


@pytest.mark.parametrize("statements", [0, 1, 2, 5, 9, 14, 20, 27, 35, 44, 1000])
def test_a_process_that_dies_inside_a_commit_leaves_all_of_it_or_nothing(path, statements):
    with SqliteStore(path) as store:
        fence = store.leases.take("p", "one", NOW, HOUR)
        before = all_that_is_known(store)
    program = f"""
armed = False
{DIE_AT}
store = SqliteStore(sys.argv[2], connect=connected)
armed, counted = True, 0
store.commit("people", EVERYTHING, {fence!r})
os._exit(0)
"""
    died = run(
        program.replace("datetime.datetime", "dt.datetime").replace("datetime.timezone.utc", "dt.UTC"), path, statements
    )
    assert died.communicate() == ("", None)
    assert died.returncode == (0 if statements == 1000 else 9)
    assert sound(path)
    with SqliteStore(path) as store:
        assert (all_that_is_known(store) == before) is (statements != 1000)
        store.commit(PEOPLE, EVERYTHING, fence)
        assert all_that_is_known(store) != before


@pytest.mark.parametrize("statements", [0, 3, 6, 8, 12, 30, 46, 50])
def test_a_process_that_dies_while_it_makes_the_file_leaves_one_that_can_be_opened(path, statements):
    program = f"armed = True\n{DIE_AT}\nSqliteStore(sys.argv[2], connect=connected)"
    died = run(program, path, statements)
    assert died.communicate() == ("", None)
    assert died.returncode == 9
    with SqliteStore(path) as store:
        commit(store, links=(link(1),))
    assert sound(path)


COMMITTING = """
store = SqliteStore(sys.argv[2])
fence = store.leases.take("p", "one", NOW, HOUR)
print(0, flush=True)
for n in range(1, 100_000):
    store.commit("people", Delta(links=(link(n),), queue=(row(n),), progress={("left", "c"): Progress(str(n), True)}), fence)
    print(n, flush=True)
"""


def test_what_was_committed_before_a_kill_is_there_and_whole_afterwards(path):
    chance = random.Random(7)
    for turn in range(5):
        victim = path.with_name(f"{turn}.db")
        killed = run(COMMITTING, victim)
        assert killed.stdout.readline() == "0\n"
        time.sleep(chance.uniform(0, 0.15))
        killed.send_signal(signal.SIGKILL)
        said = killed.communicate()[0].splitlines()
        acknowledged = int(said[-1]) if said else 0
        assert sound(victim)
        with SqliteStore(victim) as store:
            links = store.links.count(PEOPLE)
            progress = store.links.progress(PEOPLE, "left", "c")
            assert links in (acknowledged, acknowledged + 1)
            assert (progress.cursor if progress else "0") == str(links)
            assert [known.sequence for known in store.agenda.due(PEOPLE, NOW, 10**6)] == list(range(1, links + 1))
            assert len(list(store.links.all(PEOPLE))) == links


# -- several processes and threads ---------------------------------------------------------

COUNTING = """
import time
chance = random.Random(int(sys.argv[3]))
done = 0
with SqliteStore(sys.argv[2], busy_timeout=60) as store:
    while done < 25:
        try:
            fence = store.leases.take("p", sys.argv[3], dt.datetime.now(dt.UTC), dt.timedelta(milliseconds=20))
            so_far = store.links.progress("people", "left", "c")
            time.sleep(chance.choice((0, 0, 0.05)))
            store.commit("people", Delta(progress={("left", "c"): Progress(str(int(so_far.cursor) + 1), True)}), fence)
            store.leases.release(fence)
            done += 1
        except (LeaseHeld, FenceStale):
            time.sleep(0.001)
"""


def test_processes_under_fences_lose_no_update(path):
    with SqliteStore(path) as store:
        commit(store, progress={("left", "c"): Progress("0", filled=True)})
    workers = [run(COUNTING, path, seed) for seed in range(3)]
    assert [worker.wait(120) for worker in workers] == [0, 0, 0]
    for worker in workers:
        worker.communicate()
    with SqliteStore(path) as store:
        assert store.links.progress(PEOPLE, "left", "c") == Progress("75", filled=True)


def test_processes_may_make_the_file_at_the_same_time(path):
    program = "store = SqliteStore(sys.argv[2])\nprint(store.inbox.put('people', [Signal(sys.argv[3], left(), NOW)]))"
    together = [run(program, path, n) for n in range(6)]
    assert [one.communicate()[0] for one in together] == ["1\n"] * 6
    with SqliteStore(path) as store:
        assert store.inbox.count(PEOPLE) == 6


class Overtaken(sqlite3.Connection):
    """Between its first look at the file and the next one, another process makes the file whole."""

    def execute(self, sql, *args):
        if sql == "PRAGMA user_version":
            other = sqlite3.connect(self.path, isolation_level=None, timeout=0)
            try:
                set_up(other, self.path, 0)
            except sqlite3.OperationalError:
                pass  # shut out by our look, it has to wait until that has ended
            finally:
                other.close()
        return super().execute(sql, *args)


def test_a_file_that_another_process_makes_while_we_look_is_not_taken_for_a_stranger(path):
    def overtaken(where):
        connection = sqlite3.connect(where, isolation_level=None, check_same_thread=False, factory=Overtaken)
        connection.path = where
        return connection

    with SqliteStore(path, connect=overtaken) as store:
        assert store.inbox.count(PEOPLE) == 0
    assert sound(path)


def test_threads_commit_and_read_side_by_side(path):
    with SqliteStore(path) as store:
        together = threading.Barrier(8)

        def work(n):
            part = store.tenant(str(n % 2))
            together.wait()
            fence = part.leases.take(str(n), "me", NOW, HOUR)
            for turn in range(25):
                part.commit(str(n), Delta(links=(link(turn),), queue=(row(turn),)), fence)
                assert part.links.count(str(n)) == turn + 1
            return len(list(part.links.all(str(n))))

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(work, range(8))) == [25] * 8
    assert sound(path)


HOLDING = """
store = SqliteStore(sys.argv[2])
with store.tokens.lock("sfa") as token:
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_refresher_that_is_killed_frees_the_lock_at_once(path):
    with SqliteStore(path) as store, subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.path[:0] = sys.argv[1].split(chr(10)); from helpers_of_faults import *\n" + HOLDING,
         "\n".join([*sys.path, str(Path(__file__).parent)]), str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout.readline() == "held\n"
        entered = threading.Event()

        def refresh():
            with store.tokens.lock("sfa"):
                entered.set()

        waiting = threading.Thread(target=refresh)
        waiting.start()
        assert not entered.wait(0.3), "the other process is refreshing"
        store.tokens.save("sfa", Token(Secret("saved meanwhile")))
        with store.tokens.lock("crm"):
            holder.kill()
        assert entered.wait(20)
        waiting.join()


@pytest.mark.parametrize("name", ["state.db", ":memory:"])
def test_a_refresher_that_takes_too_long_is_not_waited_for_for_ever(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    database = Database(Path(name), connect, 1.0, patience=0.2)
    waited = []

    def wait():
        with pytest.raises(StateError, match="has been refreshing"), database.alone("sfa"):
            waited.append("entered")

    with database.alone("sfa"), database.alone("crm"):
        waiting = threading.Thread(target=wait)
        waiting.start()
        waiting.join()
    with database.alone("sfa"):
        assert waited == []
    database.close()


def test_a_store_is_not_carried_over_a_fork(path):
    program = """
store = SqliteStore(sys.argv[2])
pid = os.fork()
if pid == 0:
    try:
        store.links.count("people")
    except StateError as refused:
        print("forked" in str(refused), flush=True)
    store.close()
    os._exit(0)
os.waitpid(pid, 0)
print(store.links.count("people"))
"""
    assert run(program, path).communicate()[0] == "True\n0\n"


# -- a disk that is full, a file that is locked or read-only --------------------------------


def test_a_full_disk_rolls_back_and_says_so(path):
    connections = []

    def kept(where):
        connections.append(connect(where))
        return connections[-1]

    with SqliteStore(path, connect=kept) as store:
        commit(store, links=(link(0),))
        fence = store.leases.take("p", "one", NOW, HOUR)
        [(pages,)] = connections[0].execute("PRAGMA page_count")
        connections[0].execute(f"PRAGMA max_page_count = {pages + 3}")
        before = all_that_is_known(store)
        large = attrs.evolve(
            EVERYTHING, links=(link(1, left_agreed=Agreed(("f",), ("x" * 100_000,))),), journal=(noted(1),) * 50
        )
        with pytest.raises(StateError, match="no space") as refused:
            store.commit(PEOPLE, large, fence)
        assert str(path) in str(refused.value)
        assert all_that_is_known(store) == before
        connections[0].execute("PRAGMA max_page_count = 1000000")
        store.commit(PEOPLE, large, fence)
        assert store.links.count(PEOPLE) == 2
    assert sound(path)


LIMITED = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = SqliteStore(sys.argv[2])
fence = store.leases.take("p", "one", NOW, HOUR)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
for n in range(100_000):
    try:
        store.commit("people", Delta(links=tuple(link(f"{n} {part}") for part in range(50))), fence)
    except StateError as refused:
        print(n, "nothing more was stored, and what was sent before is looked up" in str(refused))
        break
print(store.links.count("people"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.commit("people", Delta(links=(link("after"),)), fence)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits are POSIX")
def test_a_file_that_may_not_grow_rolls_back_and_says_so(path):
    limited = run(LIMITED, path)
    commits, said, links = limited.communicate()[0].split()
    assert limited.returncode == 0, "once there is room again, it goes on"
    assert (said, int(links)) == ("True", 50 * int(commits))
    assert sound(path)
    with SqliteStore(path) as store:
        assert store.links.count(PEOPLE) == int(links) + 1


EXHAUSTED = """
import os, resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = SqliteStore(sys.argv[2])
fence = store.leases.take("p", "one", NOW, HOUR)
for n in range(12):
    store.commit("people", Delta(links=tuple(link(f"{n} {part}") for part in range(50))), fence)
most = os.path.getsize(sys.argv[2] + "-wal")
assert most > 400_000 > os.path.getsize(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
store.leases.release(fence)
store.leases.take("p", "another", NOW, HOUR)
print(store.links.count("people"))
"""


@pytest.mark.skipif(os.name != "posix", reason="limits are POSIX")
def test_a_lease_is_given_back_where_the_log_may_not_grow_by_beginning_it_anew(path):
    exhausted = run(EXHAUSTED, path)
    assert exhausted.communicate()[0] == "600\n"
    assert exhausted.returncode == 0
    assert sound(path)


class Crowded(sqlite3.Connection):
    """Commits nothing while the room beside its file takes up the last of the disk."""

    full: Path | None = None

    def execute(self, sql, *args):
        if sql == "COMMIT" and self.full is not None and self.full.exists():
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return super().execute(sql, *args)


def test_a_lease_is_given_back_on_a_full_disk_by_the_room_that_was_kept(path):
    connections = []

    def crowded(where):
        connections.append(sqlite3.connect(where, factory=Crowded, isolation_level=None, check_same_thread=False))
        return connections[-1]

    room = path.with_name("state.db-room")
    with SqliteStore(path, connect=crowded) as store:
        fence = store.leases.take("p", "one", NOW, HOUR)
        assert room.stat().st_size == 64 * 1024
        connections[0].full = room
        with pytest.raises(StateError, match="no space is left; nothing more was stored"):
            store.commit(PEOPLE, Delta(links=(link(1),)), fence)
        store.leases.release(fence)
        assert not room.exists()
        connections[0].full = None
        assert store.leases.take("p", "another", NOW, HOUR).token == fence.token + 1
        assert room.stat().st_size == 64 * 1024, "kept anew"


CROWDED = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = SqliteStore(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
try:
    store.leases.take("p", "one", NOW, HOUR)
except StateError as refused:
    print("no space is left" in str(refused))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.leases.take("p", "one", NOW, HOUR)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits are POSIX")
def test_no_lease_is_given_where_there_would_be_no_room_to_give_it_back(path):
    crowded = run(CROWDED, path)
    assert crowded.communicate()[0] == "True\n"
    assert crowded.returncode == 0


def test_a_locked_file_is_waited_for_and_then_refused(path):
    with SqliteStore(path, busy_timeout=0.3) as store:
        other = connect(path)
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        with pytest.raises(StateError, match="locked by another process"):
            commit(store, links=(link(1),))
        assert time.monotonic() - started >= 0.3
        assert store.links.count(PEOPLE) == 0, "reading goes on"
        other.execute("ROLLBACK")
        other.close()
        commit(store, links=(link(1),))


def test_a_file_that_is_locked_for_a_moment_is_waited_for(path):
    with SqliteStore(path) as store:
        other = connect(path)
        other.execute("BEGIN IMMEDIATE")
        later = threading.Timer(0.3, lambda: other.execute("ROLLBACK"))
        later.start()
        commit(store, links=(link(1),))
        later.join()
        other.close()
        assert store.links.count(PEOPLE) == 1


def test_a_file_that_may_only_be_read_is_read_and_not_written(path):
    with SqliteStore(path) as store:
        commit(store, links=(link(1),))

        def read_only(where):
            return sqlite3.connect(f"file:{where}?mode=ro", uri=True, check_same_thread=False)

        with SqliteStore(path, connect=read_only) as reader:
            assert reader.links.count(PEOPLE) == 1
            with pytest.raises(StateError, match="cannot be written"):
                reader.agenda.enable(PEOPLE, NOW)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StateError, match="cannot be opened"):
        SqliteStore(tmp_path / "state.db")
    tmp_path.chmod(0o700)


def test_a_place_that_cannot_hold_state_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(StateError, match="make it first"):
        SqliteStore(tmp_path / "missing" / "state.db")
    with pytest.raises(StateError, match="name a file in it"):
        SqliteStore(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_network_file_system_is_told_by_its_mount(tmp_path):
    mounts = "/dev/sda1 / ext4 rw 0 0\nserver:/home /mnt/team\\040files nfs4 rw 0 0\n//host/share /mnt/win cifs rw 0 0\nbad\n"
    assert network_file_system(Path("/mnt/team files/a/state.db"), mounts) == "nfs4"
    assert network_file_system(Path("/mnt/win/state.db"), mounts) == "cifs"
    assert network_file_system(Path("/mnt/other/state.db"), mounts) is None
    assert network_file_system(Path("/mnt/window/state.db"), mounts) is None
    assert network_file_system(Path("/mnt/win/local/state.db"), mounts + "tmpfs /mnt/win/local tmpfs rw 0 0\n") is None
    assert network_file_system(tmp_path, "") is None


# -- files that are not ours, newer or damaged ------------------------------------------------


def everything_in(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


BODIES = {"intents": intent_of, "decisions": decision_of, "journal": journal_of}


AGES = {"scopes": ("kept_since",), "runs": ("scope", "at", "going")}
"""Columns that version 4 added."""


def as_of_version_4(path):
    """Take back what version 5 added to a file."""
    with closing(connect(path)) as connection:
        connection.execute("ALTER TABLE queue DROP COLUMN question")
        connection.execute("PRAGMA user_version = 4")


def as_of_version_3(path):
    """Take back what version 4 added to a file."""
    as_of_version_4(path)
    with closing(connect(path)) as connection:
        for table, added in AGES.items():
            for column in added:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 3")
        return connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()


def test_runs_of_a_file_from_before_they_told_their_age_go_once_a_later_one_is_old(path):
    with SqliteStore(path) as store:
        commit(store, run="r1", decisions=(decision(1),))
        commit(store, journal=(noted(1, run="r2"),))
        commit(store, "companies", run="c3", decisions=(decision(1),))
        commit(store, links=(link(1),))
        before = all_that_is_known(store)
    as_of_version_3(path)
    with SqliteStore(path) as store:
        assert all_that_is_known(store) == before
        day = dt.timedelta(days=1)
        assert not store.journal.ended_before(PEOPLE, NOW + 999 * day), "nobody knows how old they are"
        commit(store, run="r4", decisions=(decision(2),), at=NOW)
        assert not store.journal.ended_before(PEOPLE, NOW)
        assert store.journal.ended_before(PEOPLE, NOW + day)
        commit(store, kept_since=NOW + day)
        assert [sum(store.outbox.counts(run).values()) for run in ("r1", "c3", "r4")] == [0, 1, 0]
        assert list(store.journal.run("r2")) == []
        assert store.links.count(PEOPLE) == 1


def test_what_asked_a_person_in_an_older_file_is_looked_at_again_and_all_else_stays_parked(path):
    parked = {
        1: ("disputed", Code.BOTH_CHANGED),
        2: ("quarantined", Code.TOO_LONG),
        3: ("quarantined", Code.REFUSED_BY_SYSTEM),
        4: ("held", Code.NOT_DUE),
    }
    told = {n: QueueRow("left", left(n), state, NOW + HOUR, because(code)) for n, (state, code) in parked.items()}
    with SqliteStore(path) as store:
        commit(store, queue=tuple(told.values()))
        store.rulings.add(PEOPLE, Ruling(left(9), "left", "kim", NOW))
    as_of_version_4(path)
    with SqliteStore(path) as store:
        assert [row.ref for row in store.agenda.due(PEOPLE, NOW, 9)] == [left(1), left(2)]
        assert [(row.ref, row.because) for row in store.quarantine.rows(PEOPLE)] == [
            (left(n), told[n].because) for n in (3, 4)
        ]
        assert store.rulings.of(PEOPLE, [left(9)])[left(9)].question is None
        commit(store, queue=(attrs.evolve(told[1], sequence=1, question="asked"),))
        assert store.quarantine.rows(PEOPLE, "disputed")[0].question == "asked"


def test_a_file_is_brought_to_our_version_whole_or_not_at_all(path):
    with SqliteStore(path) as store:
        commit(store, **{field.name: getattr(EVERYTHING, field.name) for field in attrs.fields(Delta)})
        before = all_that_is_known(store)
    tables = as_of_version_3(path)

    def tripping(where, after):
        connection = sqlite3.connect(where, check_same_thread=False, factory=Tripping)
        connection.left = after
        return connection

    for statements in range(1000):
        try:
            SqliteStore(path, connect=partial(tripping, after=statements)).close()
        except KeyboardInterrupt:
            with closing(connect(path)) as connection:
                if connection.execute("PRAGMA user_version").fetchone() == (3,):
                    assert connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == tables
        else:
            break
    assert statements > 10, "each statement of the opening was interrupted once"
    with SqliteStore(path) as store:
        assert all_that_is_known(store) == before


def test_a_file_from_before_bodies_were_kept_in_columns_is_read_whole(path):
    with SqliteStore(path) as store:
        commit(store, **{field.name: getattr(EVERYTHING, field.name) for field in attrs.fields(Delta)})
        before = all_that_is_known(store)
    with closing(connect(path)) as connection:
        for table, read in BODIES.items():
            for number, body in connection.execute(f"SELECT rowid, body FROM {table}").fetchall():
                old = wire.dumps(read(body))
                assert old.startswith("{")
                connection.execute(f"UPDATE {table} SET body = ? WHERE rowid = ?", (old, number))
    as_of_version_3(path)
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with SqliteStore(path) as store:
        assert all_that_is_known(store) == before
    with closing(connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_a_newer_file_is_refused_with_both_versions_and_left_as_it_is(path):
    SqliteStore(path).close()
    connection = connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = everything_in(path.parent)
    with pytest.raises(StoreTooNew, match=f"version 99, this one knows {len(MIGRATIONS)}") as refused:
        SqliteStore(path)
    assert str(path) in str(refused.value)
    assert everything_in(path.parent) == before


@pytest.mark.parametrize("content", [b"hello", b"x" * 5000, b"SQLite format 3\0", b"\0" * 4096])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path, content):
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match="It was left as it is") as refused:
        SqliteStore(path)
    assert str(path) in str(refused.value)
    assert everything_in(path.parent) == {path.name: content}


def test_a_database_of_another_program_is_refused_and_left_as_it_is(path):
    connection = connect(path)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    before = everything_in(path.parent)
    with pytest.raises(StoreDamaged, match="another program"):
        SqliteStore(path)
    assert everything_in(path.parent) == before


def test_a_file_that_was_half_made_when_the_power_was_lost_is_taken_back_by_its_journal(tmp_path, path):
    made = sqlite3.connect(tmp_path / "made.db", isolation_level=None)
    made.execute("PRAGMA cache_size = 5")
    made.execute("BEGIN")
    made.execute("CREATE TABLE sizes (value)")
    made.executemany("INSERT INTO sizes VALUES (?)", [("x" * 4000,)] * 100)
    path.write_bytes(bytes(512) + (tmp_path / "made.db").read_bytes()[512:])
    path.with_name("state.db-journal").write_bytes((tmp_path / "made.db-journal").read_bytes())
    made.close()
    assert path.stat().st_size > 4096, "SQLite had begun to write"
    with SqliteStore(path) as store:
        commit(store, links=(link(1),))
    assert sound(path)


def test_an_empty_file_becomes_a_store(path):
    path.touch()
    with SqliteStore(path) as store:
        assert store.links.count(PEOPLE) == 0


def test_damaged_pages_are_found_when_they_are_read_and_never_taken_for_nothing(path):
    with SqliteStore(path) as store:
        commit(store, links=tuple(link(n) for n in range(3000)))
    content = bytearray(path.read_bytes())
    for page in range(len(content) // 8192, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)
    with SqliteStore(path) as store:
        with pytest.raises(StoreDamaged) as refused:
            list(store.links.all(PEOPLE))
        with pytest.raises(StoreDamaged):
            store.links.standing(PEOPLE, "left", [left(n) for n in range(3000)])
    assert "Put a copy back" in str(refused.value)


def asked(path):
    """Ask a damaged file for all that it knows, and put everything into it; only a `StateError` may rise."""
    try:
        with SqliteStore(path) as store:
            fence = store.leases.take("p", "two", NOW + 2 * HOUR, HOUR)
            for act in (lambda: all_that_is_known(store), lambda: store.commit(PEOPLE, EVERYTHING, fence)):
                with contextlib.suppress(StateError):
                    act()
    except StateError:
        return "refused"
    return "opened"


@pytest.fixture
def full(path):
    """The bytes of a file with everything in it."""
    with SqliteStore(path) as store:
        fence = store.leases.take("p", "one", NOW, HOUR)
        store.commit(PEOPLE, EVERYTHING, fence)
        commit(store, links=tuple(link(n) for n in range(200)))
    return path.read_bytes()


def test_a_file_that_lost_the_rows_of_any_table_is_a_state_error_at_worst(path, full):
    connection = connect(path)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    connection.close()
    for table in tables:
        path.write_bytes(full)
        connection = connect(path)
        connection.execute(f"DELETE FROM {table}")
        connection.close()
        asked(path)
    assert len(tables) > 15


def test_a_file_with_bytes_that_flipped_is_a_state_error_at_worst(path, full, seed, record_property):
    chance, ends = random.Random(seed), []
    for _ in range(FILES):
        for beside in path.parent.glob("state.db-*"):
            beside.unlink()
        content = bytearray(full)
        for _ in range(chance.choice((1, 10, 100))):
            content[chance.randrange(100, len(content))] = chance.randrange(256)
        path.write_bytes(content)
        ends.append(asked(path))
    assert "opened" in ends, "some damage is found only when it is read"
    record_property("files", FILES)


@pytest.mark.parametrize("text", ["kim@x.test", "[", "{}", '[{"decimal": "kim"}]'])
def test_a_value_that_cannot_be_decoded_is_damage_and_is_not_quoted(path, text):
    with SqliteStore(path) as store:
        commit(store, links=(link(1),))
        connection = connect(path)
        connection.execute("UPDATE agreements SET left_cells = ?", (text,))
        connection.close()
        with pytest.raises(StoreDamaged) as refused:
            store.links.of(PEOPLE, "left", [left(1)])
        assert "kim" not in str(refused.value)
        assert str(path) in str(refused.value)


def test_a_file_cut_short_is_refused_or_found_damaged(path):
    with SqliteStore(path) as store:
        commit(store, links=tuple(link(n) for n in range(500)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreDamaged), SqliteStore(path) as store:
        list(store.links.all(PEOPLE))


# -- what the file is, and what it keeps to itself ---------------------------------------------


def test_the_file_is_durable_and_says_whose_it_is(path):
    connections = []

    def kept(where):
        connections.append(connect(where))
        return connections[-1]

    with SqliteStore(path, connect=kept):
        asked = ("journal_mode", "synchronous", "user_version", "busy_timeout", "secure_delete")
        told = [connections[0].execute(f"PRAGMA {name}").fetchone()[0] for name in asked]
    assert told == ["wal", 2, len(MIGRATIONS), 10_000, 1]
    assert path.read_bytes()[68:72] == b"CRMB"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_the_files_are_made_for_their_owner_alone(path):
    before = os.umask(0)
    try:
        with SqliteStore(path) as store, store.tokens.lock("sfa"):
            commit(store, links=(link(1),))
            files = sorted(path.parent.iterdir())
            assert len(files) >= 4, "the file, its log, the log's index, the lock"
            assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    finally:
        os.umask(before)


def test_what_was_forgotten_stands_nowhere_in_the_files(path):
    with SqliteStore(path) as store:
        canary = Agreed(("email",), (CANARY,))
        commit(store, links=tuple(link(n) for n in range(300)))
        commit(store, links=(link(CANARY, left_agreed=canary),), queue=(row(CANARY),))
        commit(store, links=(link(CANARY, left_agreed=Agreed(("email",), (CANARY + "x" * 9000,))),))
        assert any(CANARY.encode() in content for content in everything_in(path.parent).values())
        assert store.forget([left(CANARY)]) == 1
        assert not any(CANARY.encode() in content for content in everything_in(path.parent).values())
        assert store.links.count(PEOPLE) == 300
    assert not any(CANARY.encode() in content for content in everything_in(path.parent).values())


def test_the_file_is_written_anew_so_that_no_gap_of_a_page_keeps_what_was_forgotten(path):
    with SqliteStore(path) as store:
        commit(store, links=tuple(link(n, left_agreed=Agreed(("email",), ("x" * 900,))) for n in range(300)))
        assert store.forget([left(n) for n in range(200)]) == 200
        with closing(connect(path)) as other:
            assert other.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_a_log_that_cannot_be_emptied_is_told_and_a_second_attempt_empties_it(path):
    with SqliteStore(path, busy_timeout=0) as store:
        commit(store, links=(link(CANARY, left_agreed=Agreed(("email",), (CANARY,))),))
        with closing(connect(path)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM links").fetchall()
            with pytest.raises(StateError, match="still stands in the log"):
                store.forget([left(CANARY)])
            assert store.links.count(PEOPLE) == 0
        assert store.forget([left(CANARY)]) == 0
        assert not any(CANARY.encode() in content for content in everything_in(path.parent).values())


def test_tokens_and_values_are_in_no_error(path, caplog):
    with SqliteStore(path, busy_timeout=0) as store:
        other = connect(path)
        other.execute("BEGIN IMMEDIATE")
        secret = Token(Secret(CANARY), Secret(CANARY))
        told = [repr(store), repr(vars(store))]
        for act in (
            lambda: store.tokens.save("sfa", secret),
            lambda: commit(store, links=(link(1, left_agreed=Agreed(("f",), (CANARY,))),)),
            lambda: store.tokens.save("\ud800", secret),
        ):
            with pytest.raises(StateError) as refused:
                act()
            told += [str(refused.value), repr(refused.value), repr(refused.value.__cause__)]
        other.close()
        with pytest.raises(StateError, match="no valid Unicode") as refused:
            store.tokens.save("\ud800", secret)
        told += [str(refused.value), repr(refused.value.__cause__)]
    assert CANARY not in "".join(told) + caplog.text


def test_a_number_that_is_too_large_is_refused_and_nothing_changes(path):
    with SqliteStore(path) as store:
        with pytest.raises(StateError, match="too large"):
            commit(store, links=(link(1),), queue=(row(1, tries=2**70),))
        assert store.links.count(PEOPLE) == 0


def test_a_value_that_is_no_cell_is_refused_and_nothing_changes(path):
    with SqliteStore(path) as store:
        with pytest.raises(ValueError, match="float is no cell"):
            commit(store, queue=(row(1),), links=(link(1, left_agreed=Agreed(("f",), (1.5,))),))
        with pytest.raises(ValueError, match="zone"):
            commit(store, queue=(row(1),), links=(link(1, since=dt.datetime(2026, 1, 1)),))
        assert list(store.agenda.due(PEOPLE, NOW, 9)) == []


def test_a_closed_store_says_so(path):
    store = SqliteStore(path)
    part = store.tenant("acme")
    part.close()
    assert part.links.count(PEOPLE) == 0, "closing a tenant's part leaves the file open for the others"
    store.close()
    for closed in (store, part):
        with pytest.raises(StateError, match="was closed"):
            closed.links.count(PEOPLE)


def test_a_lease_outlives_its_process(path):
    with SqliteStore(path) as store:
        store.leases.take("p", "one", NOW, HOUR)
    with SqliteStore(path) as store, pytest.raises(LeaseHeld):
        store.leases.take("p", "two", NOW, HOUR)


def test_a_store_is_loaded_only_when_it_is_asked_for():
    program = "import sys, crmbridge.stores as s; a = 'sqlite3' in sys.modules; s.SqliteStore; sys.exit(a or 'sqlite3' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
