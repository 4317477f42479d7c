"""Behind a pooler each transaction of a store may run on another connection of the server."""

import contextlib
import queue
import select
import socket
import threading

import attrs
import pytest

from crmbridge.credentials import Secret
from crmbridge.errors import LeaseHeld
from crmbridge.flow import RateBudget
from crmbridge.model import Signal
from crmbridge.roles import Delta, Token
from crmbridge.stores import MemoryStore, PostgresStore
from crmbridge.testing._store_laws.values import ACCOUNT, HOUR, NOW, PEOPLE, left, noted
from crmbridge.testing._store_laws.whole import EVERYTHING, all_that_is_known

IDLE = b"Z\0\0\0\5I"
"""The end of an answer outside of any transaction."""


class Pooler:
    """Gives each transaction the connection that has rested longest, whoever opened it."""

    def __init__(self, server):
        self.port, self.resting = server.port, queue.SimpleQueue()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.dsn = server.dsn.replace(str(server.port), str(self.listener.getsockname()[1])) + "?sslmode=disable"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, client):
        with client, contextlib.suppress(OSError):
            self.relay(client, socket.create_connection(("127.0.0.1", self.port)))
            while (said := client.recv(65536)) and said[:1] != b"X":
                server = self.resting.get()
                server.sendall(said)
                self.relay(client, server)

    def relay(self, client, server):
        """Carry what both say until the server rests."""
        tail = b""
        while tail != IDLE:
            for ready in select.select([client, server], [], [])[0]:
                said = ready.recv(65536)
                if not said:
                    server.close()
                    raise ConnectionError
                (server if ready is client else client).sendall(said)
                tail = (tail + said)[-len(IDLE) :] if ready is server else b""
        self.resting.put(server)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        while not self.resting.empty():
            self.resting.get().close()


@pytest.fixture
def pooler(postgres):
    pooler = Pooler(postgres)
    yield pooler
    pooler.close()


def backend(store):
    return store._db.read(lambda session: session.row("SELECT pg_backend_pid()"))


def test_a_store_behind_a_pooler_answers_as_one_without(pooler, schema):
    place, everything = schema(), {field.name: getattr(EVERYTHING, field.name) for field in attrs.fields(Delta)}
    with (
        PostgresStore(pooler.dsn, schema=place) as one,
        PostgresStore(pooler.dsn, schema=place) as two,
        MemoryStore() as memory,
    ):
        one.links.count(PEOPLE)
        two.links.count(PEOPLE)
        assert len({backend(one) for _ in range(4)}) > 1, "each transaction had another connection"
        for store in (one, memory):
            fence = store.leases.take("p", "one", NOW, HOUR)
            store.inbox.put(PEOPLE, [Signal("waits", left(1), NOW)])
            for turn in range(6):
                store.commit(PEOPLE, Delta(journal=(noted(turn, run="many"),)), fence)
            store.commit(PEOPLE, Delta(**everything), fence)
            store.budgets.spend(ACCOUNT, "default", RateBudget(2.0), 2, 1.0)
        assert all_that_is_known(two) == all_that_is_known(memory)
        assert len(list(two.journal.run("many"))) == 6
        with pytest.raises(LeaseHeld):
            two.leases.take("p", "two", NOW, HOUR)
        with one.tokens.lock("sfa") as latest:
            assert latest is None
            one.tokens.save("sfa", Token(Secret("fresh"), serial=1))
        assert two.tokens.get("sfa") == Token(Secret("fresh"), serial=1)


def test_refreshers_behind_a_pooler_take_turns(pooler, schema):
    place, inside = schema(), threading.Event()
    with PostgresStore(pooler.dsn, schema=place) as one, PostgresStore(pooler.dsn, schema=place) as two:

        def refresh():
            with two.tokens.lock("sfa"):
                inside.set()

        with one.tokens.lock("sfa"):
            waiting = threading.Thread(target=refresh)
            waiting.start()
            assert not inside.wait(0.3)
            one.agenda.enable(PEOPLE, NOW)
        assert inside.wait(20)
        waiting.join()
