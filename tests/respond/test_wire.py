"""Bytes on the wire: what is spoiled on the way, or comes from a client that dies, changes nothing in any fake."""

from __future__ import annotations

import json
import socket

import pytest

from crmbridge.cli._fakes import names

WRITES = {
    "salesforce": ("/services/data/v67.0/sobjects/Lead", '{"LastName":"佐藤","Company":"Acme"}', "application/json"),
    "account-engagement": ("/api/v5/objects/prospects", '{"email":"new@x.example","city":"東京"}', "application/json"),
    "digima": ("/v2/submit", '{"form":{"code":"FORM0001"},"contact":{"last_name":"金"}}', "application/json"),
    "kengaku": ("/event/event-1", "last_name=%E9%87%91", "application/x-www-form-urlencoded"),
}
"""A write that each fake takes."""


def taken(world, name, content=None, **headers):
    path, text, kind = WRITES[name]
    return world.ask("post", path, content=text.encode() if content is None else content, kind=kind, headers=headers)


@pytest.mark.parametrize("name", names())
def test_the_write_that_is_spoiled_here_is_taken_when_it_is_sound(worlds, name):
    world = worlds[name]()
    before = len(world.fake.ledger)
    assert taken(world, name).status_code in (200, 201)
    assert len(world.fake.ledger) > before


@pytest.mark.parametrize("name", [name for name in names() if name != "kengaku"])
def test_spoiled_json_is_refused_and_changes_nothing(worlds, drawing, name):
    world = worlds[name]()
    before = len(world.fake.ledger)
    for what, content in drawing.spoiled(WRITES[name][1]).items():
        if (name, what) == ("salesforce", "another coding"):
            continue
        answer = taken(world, name, content)
        assert answer.status_code in (400, 401), (what, answer.text)
        assert answer.headers["content-type"].startswith("application/json"), what
    assert len(world.fake.ledger) == before


@pytest.mark.parametrize("name", [name for name in names() if name != "kengaku"])
def test_of_two_members_with_one_name_the_last_counts_and_it_is_written_once(worlds, name):
    world = worlds[name]()
    before = len(world.fake.ledger)
    once, path = json.loads(WRITES[name][1]), ("contact",) if name == "digima" else ()
    inner = once[path[0]] if path else once
    member, value = next(iter(inner.items()))
    doubled = json.dumps(once).replace(f'"{member}": ', f'"{member}": "first", "{member}": ', 1)
    assert taken(world, name, doubled.encode()).status_code in (200, 201)
    written = [write for write in world.fake.ledger[before:] if member in write.values]
    assert [write.values[member] for write in written] == [value]


def spoken(base, sent):
    """Send bytes, hang up, and wait for what comes."""
    host, port = base.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65_536):
            received += part
        return received


@pytest.mark.parametrize("name", names())
def test_a_client_that_dies_after_any_byte_has_written_nothing_and_the_next_one_is_served(worlds, name):
    world = worlds[name]()
    path, text, kind = WRITES[name]
    content = text.encode()
    lines = [f"POST {path} HTTP/1.1", "Host: here", f"Content-Type: {kind}", f"Content-Length: {len(content)}"]
    lines += [f"{header}: {value}" for header, value in world.headers.items()]
    whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
    before = len(world.fake.ledger)
    with world.fake.serve() as base:
        for end in (*range(0, len(whole) - len(content), 7), *range(len(whole) - len(content), len(whole))):
            assert spoken(base, whole[:end]) == b"", whole[:end]
        assert len(world.fake.ledger) == before
        assert spoken(base, whole).startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 201 "))
    assert len(world.fake.ledger) > before
