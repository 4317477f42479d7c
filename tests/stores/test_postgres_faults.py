"""What may happen to a server, the wire to it and its workers; and what is then still true."""

import contextlib
import datetime as dt
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest

from crmbridge.credentials import Secret
from crmbridge.errors import FenceStale, LeaseHeld, StateError, StoreDamaged, StoreTooNew, UsageError
from crmbridge.flow import RateBudget
from crmbridge.model import Agreed, Decision, Disposition, Merged, RecordRef, Signal
from crmbridge.protocols import Notice
from crmbridge.reasons import Code, because
from crmbridge.roles import Delta, Keyed, Progress, Token
from crmbridge.stores import MemoryStore, PostgresStore
from crmbridge.stores._postgres.meaning import is_lost
from crmbridge.stores._postgres.schema import MIGRATIONS
from crmbridge.testing._store_laws.values import (
    ACCOUNT,
    HOUR,
    NOW,
    PEOPLE,
    ask,
    commit,
    decision,
    key,
    left,
    link,
    noted,
    row,
)
from crmbridge.testing._store_laws.whole import EVERYTHING, all_that_is_known
from crmbridge.testing.postgres import PASSWORD

CANARY = "canary-51b7c0"
STOPS = int(os.environ.get("CRMBRIDGE_IMMEDIATE", "5"))
READY = b"Z\0\0\0\5"
"""Begins the message by which a server ends each answer."""


class Wire:
    """A wire to the server that can be cut at the next commit, and counts round trips."""

    def __init__(self, server):
        self.server, self.round_trips, self.cut, self.held = server, 0, None, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.dsn = server.dsn.replace(str(server.port), str(self.listener.getsockname()[1])) + "?sslmode=disable"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.server.port))
                answered = threading.Event()
                threading.Thread(target=self.ask, args=(client, server, answered), daemon=True).start()
                threading.Thread(target=self.answer, args=(client, server, answered), daemon=True).start()

    def ask(self, client, server, answered):
        with contextlib.suppress(OSError):
            while said := client.recv(65536):
                if b"COMMIT\0" in said and self.cut:
                    self.break_off(said, client, server, answered)
                    return
                server.sendall(said)
        close(server)

    def break_off(self, said, client, server, answered):
        cut, self.cut = self.cut, None
        if cut == "after":
            answered.clear()
            client.shutdown(socket.SHUT_WR)  # the answer comes, and goes nowhere
            server.sendall(said)
            answered.wait(5)
        close(client)
        if cut == "late":
            time.sleep(0.4)
            server.sendall(said)
        if cut == "never":
            self.held.append(server)
        else:
            close(server)

    def answer(self, client, server, answered):
        with contextlib.suppress(OSError):
            while said := server.recv(65536):
                self.round_trips += said.count(READY)
                answered.set()
                client.sendall(said)
        close(client)

    def close(self):
        close(self.listener)
        for server in self.held:
            close(server)


def close(end):
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@pytest.fixture
def wire(postgres):
    wire = Wire(postgres)
    yield wire
    wire.close()


@pytest.fixture
def at(postgres, schema):
    """Say where: the same place for all stores of a test."""
    return {"dsn": postgres.dsn, "schema": schema()}


@pytest.fixture
def asked(at):
    """Ask the server itself."""
    psycopg = pytest.importorskip("psycopg", reason="install crmbridge[postgres]")
    with psycopg.connect(at["dsn"], autocommit=True, options=f"-c search_path={at['schema']}") as connection:
        yield connection.execute


def journal(store):
    return len(list(store.journal.run("run")))


# -- a commit whose answer is lost ---------------------------------------------------------


@pytest.mark.parametrize("cut", ["before", "after", "late"])
def test_what_was_written_when_the_wire_broke_is_there_exactly_once(wire, schema, cut):
    with PostgresStore(wire.dsn, schema=schema()) as store:
        fence = store.leases.take("p", "one", NOW, HOUR)
        budget = RateBudget(2.0, per=1.0)
        for turn in range(1, 4):
            wire.cut = cut
            store.commit(PEOPLE, Delta(journal=(noted(turn),), queue=(row(turn),)), fence)
            assert journal(store) == turn
            wire.cut = cut
            assert store.inbox.put(PEOPLE, [Signal(str(turn), left(1), NOW)]) == 1
            wire.cut = cut
            store.budgets.spend(ACCOUNT, "default", budget, 2, 1.0)
            assert wire.cut is None, "the wire was cut"
        assert [one.sequence for one in store.agenda.due(PEOPLE, NOW, 9)] == [1, 2, 3]
        whole = MemoryStore().budgets
        waits = [whole.spend(ACCOUNT, "default", budget, cost, 1.0) for cost in (2, 2, 2, 1)]
        assert store.budgets.spend(ACCOUNT, "default", budget, 1, 1.0) == pytest.approx(waits[-1])


def test_a_commit_that_cannot_be_told_is_neither_promised_nor_repeated(wire, schema):
    with PostgresStore(wire.dsn, schema=schema(), patience=0.5) as store:
        fence = store.leases.take("p", "one", NOW, HOUR)
        wire.cut = "never"
        with pytest.raises(StateError, match="cannot be told"):
            store.commit(PEOPLE, Delta(journal=(noted(1),)), fence)
        for server in wire.held:
            close(server)
        assert journal(store) == 0
        store.commit(PEOPLE, Delta(journal=(noted(1),)), fence)
        assert journal(store) == 1


def test_a_lease_that_was_lost_meanwhile_is_found_lost(wire, schema):
    place = schema()
    with PostgresStore(wire.dsn, schema=place) as store, PostgresStore(wire.server.dsn, schema=place) as other:
        fence = store.leases.take("p", "one", NOW, HOUR)
        wire.cut = "before"
        other.leases.take("p", "two", NOW + HOUR, HOUR)
        with pytest.raises(FenceStale):
            store.commit(PEOPLE, EVERYTHING, fence)
        assert journal(store) == 0


def test_an_error_of_the_line_is_no_refusal_of_the_server_even_while_the_connection_seems_open(at):
    psycopg = pytest.importorskip("psycopg", reason="install crmbridge[postgres]")
    with psycopg.connect(at["dsn"]) as connection:
        assert is_lost(connection, psycopg.OperationalError("consuming input failed"))
        with pytest.raises(psycopg.errors.QueryCanceled) as refused:
            connection.execute("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)")
        assert isinstance(refused.value, psycopg.OperationalError)
        assert not is_lost(connection, refused.value)
        assert not is_lost(connection, psycopg.DataError("no text"))
    assert is_lost(connection, refused.value)


# -- a server that goes away -----------------------------------------------------------------


def test_what_was_acknowledged_survives_immediate_stops_and_nothing_is_there_twice(postgres, at, record_property):
    told, over = [0] * 3, threading.Event()

    def work(n, store):
        fence = store.leases.take(str(n), "me", NOW, HOUR)
        while not over.is_set():
            number = told[n] + 1
            store.commit(str(n), Delta(queue=(row(number),), journal=(noted(number, run=str(n)),)), fence)
            told[n] = number

    with contextlib.ExitStack() as open_, ThreadPoolExecutor(3) as pool:
        stores = [open_.enter_context(PostgresStore(**at)) for _ in told]
        workers = [pool.submit(work, n, store) for n, store in enumerate(stores)]
        for turn in range(STOPS):
            before = list(told)
            time.sleep(0.03 * (turn % 5))
            postgres.stop("immediate")
            postgres.start()
            deadline = time.monotonic() + 30
            while any(now <= then for now, then in zip(told, before, strict=True)) and time.monotonic() < deadline:
                time.sleep(0.01)
        over.set()
        for worker in workers:
            worker.result(60)
    with PostgresStore(**at) as store:
        for n, acknowledged in enumerate(told):
            assert acknowledged > STOPS
            assert len(list(store.journal.run(str(n)))) == acknowledged
            assert [one.sequence for one in store.agenda.due(str(n), NOW, 10**6)] == list(range(1, acknowledged + 1))
    record_property("stops", STOPS)


def test_a_server_that_stays_away_is_told_and_found_again(postgres, at):
    with PostgresStore(**at, patience=0.5) as store:
        postgres.stop("fast")
        try:
            for act in (lambda: store.inbox.count(PEOPLE), lambda: store.agenda.enable(PEOPLE, NOW)):
                with pytest.raises(StateError, match=r"127\.0\.0\.1:\d+/postgres was not reached"):
                    act()
            with pytest.raises(StateError, match="cannot be reached"), store.tokens.lock("sfa"):
                pass
            with pytest.raises(StateError, match="cannot be reached") as refused:
                PostgresStore(**at)
        finally:
            postgres.start()
        assert PASSWORD not in str(refused.value) + repr(refused.value.__cause__)
        deadline = time.monotonic() + 20
        while True:
            try:
                store.agenda.enable(PEOPLE, NOW)
                break
            except StateError:
                assert time.monotonic() < deadline
        assert store.agenda.enabled_since(PEOPLE) == NOW


def test_the_password_is_in_no_error_and_no_name(postgres, at, caplog):
    wrong = at["dsn"].replace("crmbridge:", "nobody:")
    told = []
    for dsn in (wrong, wrong.replace("postgresql", "postgres").replace("@", " @"), f"host {PASSWORD}"):
        with pytest.raises((StateError, UsageError)) as refused:
            PostgresStore(dsn)
        told += [str(refused.value), repr(refused.value), repr(refused.value.__cause__)]
    with PostgresStore(**at) as store:
        told += [repr(store), repr(vars(store)), repr(store.links), repr(vars(store._db))]
    assert PASSWORD not in "".join(told) + caplog.text


def test_values_are_in_no_error(at, caplog):
    told = []
    with PostgresStore(**at) as store:
        commit(store, links=(link(CANARY, id=CANARY),))
        for act in (
            lambda: store.tokens.save("sfa\0", Token(Secret(CANARY))),
            lambda: store.tokens.save("\ud800", Token(Secret(CANARY))),
            lambda: commit(store, links=(link(CANARY, id="other"),)),
            lambda: commit(store, queue=(row(CANARY, tries=2**70),)),
            lambda: commit(store, f"{CANARY}\0"),
        ):
            with pytest.raises(StateError) as refused:
                act()
            told += [str(refused.value), repr(refused.value), repr(refused.value.__cause__)]
        with pytest.raises(ValueError, match="float is no cell"):
            commit(store, queue=(row(1),), links=(link(1, left_agreed=Agreed(("f",), (1.5,))),))
        assert store.links.count(PEOPLE) == 1
        assert list(store.agenda.due(PEOPLE, NOW, 9)) == []
    assert CANARY not in "".join(told) + caplog.text


# -- several workers ---------------------------------------------------------------------------

COUNTING = """
import datetime as dt, random, sys, time
from crmbridge.errors import FenceStale, LeaseHeld
from crmbridge.roles import Delta, Progress
from crmbridge.stores import PostgresStore
chance = random.Random(int(sys.argv[3]))
done = 0
with PostgresStore(sys.argv[1], schema=sys.argv[2]) as store:
    while done < 12:
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


def test_processes_under_fences_lose_no_update(at):
    with PostgresStore(**at) as store:
        commit(store, progress={("left", "c"): Progress("0", filled=True)})
    command = [sys.executable, "-c", COUNTING, at["dsn"], at["schema"]]
    workers = [
        subprocess.Popen([*command, str(seed)], env=os.environ | {"PYTHONPATH": ":".join(sys.path)})
        for seed in range(3)
    ]
    assert [worker.wait(120) for worker in workers] == [0, 0, 0]
    with PostgresStore(**at) as store:
        assert store.links.progress(PEOPLE, "left", "c") == Progress("36", filled=True)


def test_two_workers_on_one_partition_never_both_commit(at):
    """I14: whoever commits holds the newest lease, however slow the others were."""
    counts, over = [0] * 4, time.monotonic() + 2

    def work(n):
        with PostgresStore(**at) as store:
            while time.monotonic() < over:
                with contextlib.suppress(LeaseHeld, FenceStale):
                    fence = store.leases.take("p", str(n), dt.datetime.now(dt.UTC), dt.timedelta(milliseconds=n * 3))
                    so_far = store.links.progress(PEOPLE, "left", "c")
                    number = int(so_far.cursor) if so_far else 0
                    store.commit(PEOPLE, Delta(progress={("left", "c"): Progress(str(number + 1), filled=True)}), fence)
                    counts[n] += 1

    with PostgresStore(**at) as store, ThreadPoolExecutor(4) as pool:
        for worker in [pool.submit(work, n) for n in range(4)]:
            worker.result(60)
        assert store.links.progress(PEOPLE, "left", "c") == Progress(str(sum(counts)), filled=True)
    assert sum(counts) > 20


def test_workers_whose_commits_cross_do_not_wait_in_a_circle(at):
    """Two pipelines name the same runs, notices and columns in opposite orders."""
    with PostgresStore(**at) as store:
        together = threading.Barrier(4)

        def work(n):
            turned = slice(None, None, -1 if n % 2 else 1)
            fence = store.leases.take(str(n), "me", NOW, HOUR)
            together.wait()
            for turn in range(12):
                runs = [f"run {turn} {part}" for part in range(3)][turned]
                store.commit(
                    str(n),
                    Delta(
                        journal=tuple(noted(1, run=run) for run in runs),
                        notices=tuple(Notice(run, left(1), because(Code.BUSY)) for run in runs),
                        links=tuple(link(f"{turn} {run}") for run in runs),
                        run=runs[0], decisions=(Decision("left", left(n), None, Disposition.APPLIED, because(Code.NEW)),),
                    ),
                    fence,
                )  # fmt: skip
            return store.links.count(str(n))

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(work, range(4))) == [36] * 4


def test_stores_may_be_made_at_the_same_time(at):
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(lambda _: PostgresStore(**at), range(6)))
    for n, store in enumerate(stores):
        assert store.inbox.put(PEOPLE, [Signal(str(n), left(1), NOW)]) == 1
    assert stores[0].inbox.count(PEOPLE) == 6
    for store in stores:
        store.close()


def test_by_the_databases_clock_a_worker_that_is_ahead_takes_no_lease_early(at):
    with PostgresStore(**at, lease_clock="database") as store, PostgresStore(**at, lease_clock="database") as ahead:
        fence = store.leases.take("p", "one", NOW, HOUR)
        assert fence.until == NOW + HOUR, "each worker counts by its own clock how long it may work"
        with pytest.raises(LeaseHeld):
            ahead.leases.take("p", "two", NOW + 48 * HOUR, HOUR)
        store.leases.renew(fence, NOW, dt.timedelta(milliseconds=1))
        time.sleep(0.01)
        taken = ahead.tenant("").leases.take("p", "two", NOW - 48 * HOUR, HOUR)
        assert taken.token == fence.token + 1


def test_a_refresher_that_dies_frees_the_lock(at, asked):
    with PostgresStore(**at) as store:
        inside, entered = threading.Event(), threading.Event()

        def refresh():
            with store.tokens.lock("sfa"):
                inside.set()
                entered.wait(20)

        dying = threading.Thread(target=refresh)
        dying.start()
        assert inside.wait(20)
        killed = asked(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE state = 'idle in transaction' AND query LIKE '%refreshers%'"
        ).fetchall()
        assert killed == [(1,)]
        with PostgresStore(**at) as other, other.tokens.lock("sfa"):
            entered.set()
        dying.join()


# -- how much is sent ---------------------------------------------------------------------------


def many(n, run):
    """A commit of *n* rows of every kind."""
    numbers = range(n)
    return Delta(
        queue=tuple(row(i) for i in numbers),
        links=tuple(link(i) for i in numbers),
        departures=tuple(("left", Merged(left(f"old {i}"), left(i))) for i in numbers),
        journal=tuple(noted(i, run=run) for i in numbers),
        run=run,
        decisions=tuple(Decision("left", left(i), None, Disposition.APPLIED, because(Code.NEW)) for i in numbers),
        keys=tuple(Keyed("right", RecordRef("sfa", "Lead", str(i)), (key(f"{i}@x.test"),)) for i in numbers),
        notices=tuple(Notice(str(i), left(i), because(Code.BUSY)) for i in numbers),
        taken=tuple(map(str, numbers)),
    )


def round_trips(wire, store, n):
    """Count what each question and change about *n* records costs."""
    commit(store, links=(link("first"),))
    fence = store.leases.take("p", "one", NOW, HOUR)
    refs = [left(i) for i in range(n)]
    questions = [ask((key(f"{i}@x.test"),)) for i in range(n)]
    acts = {
        "inbox": lambda: store.inbox.put(PEOPLE, [Signal(str(i), left(i), NOW) for i in range(n)]),
        "commit": lambda: store.commit(PEOPLE, many(n, "run"), fence),
        "again": lambda: store.commit(PEOPLE, many(n, "run"), fence),
        "standing": lambda: store.links.standing(PEOPLE, "left", refs),
        "of": lambda: store.links.of(PEOPLE, "left", refs),
        "find": lambda: store.directory.find(PEOPLE, "right", questions),
        "creating": lambda: store.outbox.creating(PEOPLE, "run", questions),
        "holding": lambda: store.outbox.holding(PEOPLE, refs),
    }
    told = {}
    for name, act in acts.items():
        before = wire.round_trips
        act()
        told[name] = wire.round_trips - before
    return told


def test_a_commit_and_a_question_cost_the_same_round_trips_for_one_row_and_for_hundreds(wire, schema):
    with PostgresStore(wire.dsn, schema=schema()) as one, PostgresStore(wire.dsn, schema=schema()) as hundreds:
        few, most = round_trips(wire, one, 1), round_trips(wire, hundreds, 400)
    assert few == most
    assert most["commit"] < 50
    assert most["standing"] <= 6


# -- hostile texts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("id_", ["x" * 1_000, "x" * 1_001, "社" * 5_000, "\0", "\ud800", "\U0001f600" * 300])
def test_ids_of_any_length_and_any_signs_come_back_as_they_were(at, asked, id_):
    long = {"left": left(id_), "id": id_}
    with PostgresStore(**at) as store:
        commit(
            store, queue=(row(id_, version=id_, run=id_),), links=(link(1, **long),),
            departures=(("left", Merged(left(8), left(id_))),),
            keys=(Keyed("left", left(id_), (key(id_),)),), progress={("left", "contact"): Progress(id_, filled=True)},
        )  # fmt: skip
    with PostgresStore(**at) as store:
        [found] = store.links.of(PEOPLE, "left", [left(id_)])[left(id_)]
        assert found == link(1, **long)
        assert list(store.links.all(PEOPLE)) == [found]
        assert store.links.followed(PEOPLE, "left", [left(8)]) == {left(8): left(id_)}
        assert store.links.progress(PEOPLE, "left", "contact") == Progress(id_, filled=True)
        [due] = store.agenda.due(PEOPLE, NOW, 9)
        assert (due.ref, due.version, due.run) == (left(id_), id_, id_)
        assert list(store.directory.find(PEOPLE, "left", [ask((key(id_),), kind="contact")])) == [[left(id_)]]
        assert store.forget([left(id_)]) == 1
        assert list(store.links.all(PEOPLE)) == []
    assert asked("SELECT count(*) FROM keys").fetchall() == [(0,)]
    assert asked("SELECT count(*) FROM long_texts WHERE hash <> '\\x'").fetchall()[0][0] <= 1, "a link's own id at most"


# -- what is refused -------------------------------------------------------------------------------


def test_runs_of_a_schema_from_before_they_told_their_age_go_once_a_later_one_is_old(at, asked):
    with PostgresStore(**at) as store:
        commit(store, run="r1", decisions=(decision(1),))
        commit(store, journal=(noted(1, run="r2"),))
        commit(store, "companies", run="c3", decisions=(decision(1),))
        before = all_that_is_known(store)
    asked("ALTER TABLE scopes DROP COLUMN kept_since")
    asked("ALTER TABLE runs DROP COLUMN scope, DROP COLUMN at, DROP COLUMN going")
    asked("ALTER TABLE queue DROP COLUMN question")
    asked("UPDATE meta SET version = 3")
    with PostgresStore(**at) as store:
        assert all_that_is_known(store) == before
        later = NOW + dt.timedelta(days=1)
        commit(store, run="r4", decisions=(decision(2),), at=NOW)
        assert not store.journal.ended_before(PEOPLE, NOW)
        commit(store, kept_since=later)
        assert [sum(store.outbox.counts(run).values()) for run in ("r1", "c3", "r4")] == [0, 1, 0]
        assert list(store.journal.run("r2")) == []
        assert not store.journal.ended_before(PEOPLE, later)


def test_what_asked_a_person_in_an_older_schema_is_looked_at_again_and_all_else_stays_parked(at, asked):
    parked = (
        row(1, state="disputed", because=because(Code.BOTH_CHANGED)),
        row(2, state="quarantined", because=because(Code.TOO_LONG)),
        row(3, state="quarantined", because=because(Code.REFUSED_BY_SYSTEM)),
    )
    with PostgresStore(**at) as store:
        commit(store, queue=parked)
    asked("ALTER TABLE queue DROP COLUMN question")
    asked("UPDATE meta SET version = 4")
    with PostgresStore(**at) as store:
        assert [known.ref for known in store.agenda.due(PEOPLE, NOW, 9)] == [left(1), left(2)]
        assert [known.ref for known in store.quarantine.rows(PEOPLE)] == [left(3)]
        commit(store, queue=(attrs.evolve(parked[0], sequence=1, question="asked"),))
        assert store.quarantine.rows(PEOPLE, "disputed")[0].question == "asked"


def test_a_newer_schema_is_refused_with_both_versions_and_left_as_it_is(at, asked):
    PostgresStore(**at).close()
    asked("UPDATE meta SET version = 99")
    with pytest.raises(StoreTooNew, match=f"version 99, this one knows {len(MIGRATIONS)}"):
        PostgresStore(**at)
    assert asked("SELECT version FROM meta").fetchall() == [(99,)]


def test_a_schema_of_another_program_is_refused_and_left_as_it_is(at, asked):
    asked(f"CREATE SCHEMA {at['schema']}")
    asked("CREATE TABLE invoices (id integer)")
    with pytest.raises(StoreDamaged, match="another program"):
        PostgresStore(**at)
    tables = asked("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    assert tables == [("invoices",)]


def test_who_owns_the_schema_needs_no_right_to_make_schemas(at, asked):
    psycopg = pytest.importorskip("psycopg", reason="install crmbridge[postgres]")
    owner = f"owner_{at['schema']}"
    asked(f"CREATE ROLE {owner} LOGIN PASSWORD 'owner'")
    try:
        asked(f"CREATE SCHEMA {at['schema']} AUTHORIZATION {owner}")
        dsn = psycopg.conninfo.make_conninfo(at["dsn"], user=owner, password="owner")
        with PostgresStore(dsn, schema=at["schema"]) as store:
            commit(store, links=(link(1),))
            assert store.links.count(PEOPLE) == 1
    finally:
        asked(f"DROP SCHEMA {at['schema']} CASCADE")
        asked(f"DROP ROLE {owner}")


def test_a_schema_that_loses_a_table_or_a_value_is_said_to_be_damaged(at, asked):
    with PostgresStore(**at) as store:
        commit(store, links=(link(1),))
        asked(f"UPDATE agreements SET left_cells = '[{CANARY}'")
        with pytest.raises(StoreDamaged) as damaged:
            store.links.of(PEOPLE, "left", [left(1)])
        assert CANARY not in str(damaged.value) + repr(damaged.value.__cause__)
        asked("DROP TABLE agreements")
        with pytest.raises(StoreDamaged, match="42P01"):
            store.links.of(PEOPLE, "left", [left(1)])


@pytest.mark.parametrize("name", ["", "Big", "a b", "x" * 64, 'a"; DROP SCHEMA public; --'])
def test_a_schema_is_named_plainly(postgres, name):
    with pytest.raises(UsageError, match="small letters"):
        PostgresStore(postgres.dsn, schema=name)


def test_a_server_that_forgets_commits_is_told_to_keep_these(at, asked):
    user = asked("SELECT current_user").fetchone()[0]
    asked(f"ALTER USER {user} SET synchronous_commit = off")
    try:
        with PostgresStore(**at) as store:
            told = store._db.write(lambda session: session.row("SHOW synchronous_commit"))
    finally:
        asked(f"ALTER USER {user} RESET synchronous_commit")
    assert told == ("on",)


def test_a_lock_that_is_not_given_in_time_is_told(at, asked):
    with PostgresStore(**at, patience=0.3) as store:
        commit(store, links=(link(1),))
        asked("BEGIN")
        asked("SELECT 1 FROM scopes FOR UPDATE")
        with pytest.raises(StateError, match="waiting for a lock"):
            store.agenda.enable(PEOPLE, NOW)
        asked("ROLLBACK")
        store.agenda.enable(PEOPLE, NOW)


def test_a_transaction_that_stood_in_the_way_of_another_is_tried_again(at):
    tries = []
    with PostgresStore(**at) as store:

        def act(session):
            tries.append(session)
            if len(tries) < 3:
                session.do("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
            return "done"

        assert store._db.write(act) == "done"
    assert len(tries) == 3


def test_a_closed_store_says_so_and_a_tenants_part_closes_nothing(at):
    store = PostgresStore(**at)
    part = store.tenant("acme")
    part.close()
    assert part.links.count(PEOPLE) == 0
    store.close()
    for closed in (store, part):
        with pytest.raises(StateError, match="was closed"):
            closed.links.count(PEOPLE)
        with pytest.raises(StateError, match="was closed"), closed.tokens.lock("sfa"):
            pass


def test_what_is_walked_only_once_is_kept_for_another_try(at):
    with PostgresStore(**at) as store:
        commit(store, links=(link(1),))
        assert list(store.links.of(PEOPLE, "left", iter([left(1)]))) == [left(1)]
        assert store.forget(iter([left(1)])) == 1


def test_a_commit_changes_nothing_where_it_fails_at_its_end(at, asked):
    with PostgresStore(**at) as store:
        before = all_that_is_known(store)
        asked("ALTER TABLE schemas ADD CONSTRAINT never CHECK (kind = '')")
        with pytest.raises(StateError, match="23514"):
            commit(store, **{field.name: getattr(EVERYTHING, field.name) for field in attrs.fields(Delta)})
        assert all_that_is_known(store) == before


def test_without_psycopg_the_extra_is_named():
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from crmbridge.stores import PostgresStore\n"
        "from crmbridge.errors import MissingExtra\n"
        "try: PostgresStore('postgresql://')\n"
        "except MissingExtra as missing: print(missing)"
    )
    command = [sys.executable, "-c", program]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": ":".join(sys.path)}
    )
    assert "crmbridge[postgres]" in told.stdout
