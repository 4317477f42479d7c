"""What of a database server is left when its machine goes: its files, as they lie there while it works.

A copy is made file by file without a word to the server, and another server begins from it, as after a power cut. That
shows that nothing acknowledged waits in the server's memory. It does not show what a disk does with what it was told to
sync: that the server tells it before each answer is counted here, and a disk that lies is beyond any test of ours.
"""

import contextlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from crmbridge.roles import Delta
from crmbridge.stores import PostgresStore
from crmbridge.stores._postgres import database
from crmbridge.testing._store_laws.values import HOUR, NOW, noted, row
from crmbridge.testing.postgres import HOW_TO_GET, PostgresServer, find_binaries

COPIES = int(os.environ.get("CRMBRIDGE_COPIES", "2"))


@pytest.fixture(scope="module")
def server():
    """A server that syncs, as one does that is meant to last."""
    pytest.importorskip("psycopg_pool", reason="install crmbridge[postgres]")
    if (binaries := find_binaries()) is None:
        pytest.skip(HOW_TO_GET)
    with PostgresServer(binaries, syncs=True) as server:
        yield server


@pytest.fixture
def asked(server):
    """Ask the server itself."""
    psycopg = pytest.importorskip("psycopg", reason="install crmbridge[postgres]")
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        yield connection.execute


@contextlib.contextmanager
def at_work(server, schema, workers=3):
    """Let workers commit one row after the other; gives how many each was told of."""
    told, over = [0] * workers, threading.Event()

    def work(n, store):
        fence = store.leases.take(str(n), "me", NOW, HOUR)
        while not over.is_set():
            number = told[n] + 1
            store.commit(str(n), Delta(queue=(row(number),), journal=(noted(number, run=str(n)),)), fence)
            told[n] = number

    with PostgresStore(server.dsn, schema=schema) as store, ThreadPoolExecutor(workers) as pool:
        done = [pool.submit(work, n, store) for n in range(workers)]
        deadline = time.monotonic() + 30
        while min(told) < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            yield told
        finally:
            over.set()
        for one in done:
            one.result(60)


def known(server, schema, workers=3):
    """Tell what a server knows of each worker's rows, which are whole and without a gap."""
    found = []
    with PostgresStore(server.dsn, schema=schema) as store:
        for n in range(workers):
            noted_down = len(list(store.journal.run(str(n))))
            queued = [one.sequence for one in store.agenda.due(str(n), NOW, 10**6)]
            assert queued == list(range(1, noted_down + 1)), "all of a commit or nothing, and none before another"
            found.append(noted_down)
    return found


def test_what_was_acknowledged_is_in_a_copy_of_the_files_of_a_server_at_work(server, schema, record_property):
    place = schema()
    with at_work(server, place) as told:
        for _ in range(COPIES):
            before = list(told)
            with server.copied() as copy:
                after = list(told)
                assert min(after) > max(1, min(before)), "the workers went on meanwhile"
                found = known(copy, place)
            assert all(then <= there for then, there in zip(before, found, strict=True)), (before, found)
            assert all(there <= now + 1 for there, now in zip(found, after, strict=True)), (found, after)
    record_property("copies", COPIES)


def test_a_store_that_let_the_server_answer_before_it_writes_would_lose_what_it_acknowledged(
    server, asked, schema, monkeypatch
):
    """So that the test above is known to be able to fail: the server is told to answer early, and nobody objects."""
    place, user = schema(), asked("SELECT current_user").fetchone()[0]
    asked(f"ALTER USER {user} SET synchronous_commit = off")
    asked("ALTER SYSTEM SET wal_writer_delay = '10s'")
    asked("SELECT pg_reload_conf()")
    monkeypatch.setattr(database, "_DURABLE", "SELECT 1")
    try:
        lost = 0
        for _ in range(5):
            with at_work(server, place) as told:
                pass
            with server.copied() as copy:
                lost += any(then > there for then, there in zip(told, known(copy, place), strict=True))
            if lost:
                break
            place = schema()
    finally:
        asked(f"ALTER USER {user} RESET synchronous_commit")
        asked("ALTER SYSTEM RESET wal_writer_delay")
        asked("SELECT pg_reload_conf()")
    assert lost


def test_a_server_syncs_its_log_before_each_answer(server, schema, asked):
    def syncs():
        # PostgreSQL: the count is told a second after a transaction, at the earliest; from version 18 on in another view.
        time.sleep(1.5)
        asked("SELECT pg_stat_clear_snapshot()")
        newer = int(asked("SHOW server_version_num").fetchone()[0]) >= 180_000
        view = "sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'" if newer else "wal_sync FROM pg_stat_wal"
        return int(asked(f"SELECT {view}").fetchone()[0] or 0)

    with PostgresStore(server.dsn, schema=schema()) as store:
        fence = store.leases.take("p", "me", NOW, HOUR)
        before = syncs()
        for number in range(1, 31):
            store.commit("p", Delta(queue=(row(number),)), fence)
        time.sleep(1.2)
        store.commit("p", Delta(queue=(row(31),)), fence)
        assert syncs() - before >= 30
