"""Sources and sinks without an adapter keep the laws that they claim: rows, files, a table, a function."""

from __future__ import annotations

import csv
import json
import sqlite3

import attrs
import pytest

from crmbridge import plain
from crmbridge.model import RecordRef
from crmbridge.testing import Hand, KindUnderTest, SinkSuite, SourceSuite
from crmbridge.testing.sim import SimDriver

FIELDS = ("number", "name", "note")


def row(n):
    return {"number": f"{n:09}", "name": f"山田{n}", "note": f"line {n}"}


class Rows:
    """Rows that a person writes down, and changes; `saved` is called whenever they did."""

    def __init__(self, saved):
        self.held, self.saved = {}, saved

    def put(self, values):
        self.held[values["number"]] = dict(values)
        self.saved(list(self.held.values()))
        return RecordRef("list", "row", values["number"])

    def edit(self, ref, values):
        self.held[ref.id] |= values
        self.saved(list(self.held.values()))

    def remove(self, ref):
        del self.held[ref.id]
        self.saved(list(self.held.values()))

    def kind(self):
        return KindUnderTest(
            "row", row, "note", Hand(put=self.put, edit=self.edit, remove=self.remove), frozenset({"number"})
        )


@attrs.frozen
class Stand:
    connector: object
    kind: KindUnderTest


def of_rows(_):
    held = []

    def saved(rows):
        held[:] = [dict(one) for one in rows]

    people = Rows(saved)
    return Stand(plain.rows(held, id="number", system="list", fields=FIELDS), people.kind())


def of_csv(folder):
    path = folder / "people.csv"

    def saved(rows):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(rows)

    people = Rows(saved)
    saved([])
    return Stand(plain.csv(path, id="number", system="list", kind="row"), people.kind())


def of_jsonl(folder):
    path = folder / "people.jsonl"

    def saved(rows):
        path.write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in rows), "utf-8")

    people = Rows(saved)
    saved([])
    return Stand(plain.jsonl(path, id="number", system="list", kind="row", fields=FIELDS), people.kind())


def of_table(folder):
    base = sqlite3.connect(folder / "people.db")
    base.execute("create table people (number text primary key, name text, note text)")

    def saved(rows):
        with base:
            base.execute("delete from people")
            base.executemany("insert into people values (:number, :name, :note)", rows)

    people = Rows(saved)
    connect = lambda: sqlite3.connect(folder / "people.db")  # noqa: E731
    return Stand(plain.table(connect, "people", id="number", system="list", kind="row"), people.kind())


@pytest.mark.parametrize("made", [of_rows, of_csv, of_jsonl, of_table], ids=["rows", "csv", "jsonl", "table"])
class TestPlainSources(SourceSuite):
    @pytest.fixture
    def stand(self, made, tmp_path):
        return made(tmp_path)

    @pytest.fixture
    def connector(self, stand):
        return stand.connector

    @pytest.fixture
    def driver(self):
        return SimDriver()

    @pytest.fixture
    def kind(self, stand):
        return stand.kind


class TestFunction(SinkSuite):
    @pytest.fixture
    def taken(self):
        return []

    @pytest.fixture
    def connector(self, taken):
        return plain.each(taken.append, fields=FIELDS)

    @pytest.fixture
    def kind(self, taken):
        return KindUnderTest("row", row, hand=Hand(writes=lambda: len(taken)))
