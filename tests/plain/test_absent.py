"""Rows that are not there any more: no deletion unless the author of the source says so."""

import contextlib
import json
import sqlite3

import pytest

from crmbridge import gates, plain
from crmbridge.errors import GuardTripped, UsageError
from crmbridge.model import Disposition, RecordRef
from crmbridge.reasons import Code

ANN, BOB, CAL = ({"id": n, "email": f"{name}@x.test", "name": name} for n, name in enumerate(("ann", "bob", "cal")))


class Shelf:
    """One source of each sort, and what it holds at the moment."""

    def __init__(self, folder, sort, **how):
        self.sort, self.path, self.held = sort, folder / "people", []
        self.put()
        makers = {"csv": plain.csv, "jsonl": plain.jsonl}
        if sort == "rows":
            self.source = plain.rows(self.held, id="id", fields=("email", "name"), **how)
        elif sort == "table":
            self.source = plain.table(lambda: sqlite3.connect(self.path), "people", id="id", kind="row", **how)
        else:
            fields = {"fields": ("email", "name")} if sort == "jsonl" else {}
            self.source = makers[sort](self.path, id="id", **fields, **how)
        self.ref = RecordRef(self.source.system, "row", "0")

    def put(self, *people):
        """Hold these people, and nobody else."""
        self.held[:] = people
        if self.sort == "csv":
            lines = [",".join(map(str, one.values())) for one in people]
            self.path.write_text("\n".join(["id,email,name", *lines, ""]), "utf-8")
        elif self.sort == "jsonl":
            self.path.write_text("".join(json.dumps(one) + "\n" for one in people), "utf-8")
        elif self.sort == "table":
            with contextlib.closing(sqlite3.connect(self.path)) as base, base:
                base.execute("CREATE TABLE IF NOT EXISTS people (id INTEGER PRIMARY KEY, email TEXT, name TEXT)")
                base.execute("DELETE FROM people")
                base.executemany("INSERT INTO people VALUES (:id, :email, :name)", people)


@pytest.fixture(params=["csv", "jsonl", "rows", "table"])
def shelf(request, tmp_path):
    def make(**how):
        return Shelf(tmp_path, request.param, **how)

    return make


def names(crm):
    return [row["name"] for row in crm.rows("contact")]


@pytest.mark.parametrize("removal", ["detach", "archive", "delete"])
def test_a_row_that_is_missing_for_a_day_is_no_deletion_and_is_followed_when_it_is_back(shelf, crm, carried, removal):
    people = shelf()
    pipe = carried(people.source).deletes(right=removal)
    people.put(ANN, BOB)
    pipe.run()
    people.put(BOB)
    report = pipe.run()
    assert (report.writes, report.counts[Disposition.SKIPPED], names(crm)) == (0, 0, ["ann", "bob"])
    people.put({**ANN, "name": "anna"}, BOB)
    assert pipe.run().writes == 1
    assert names(crm) == ["anna", "bob"]


def test_a_source_that_is_empty_for_a_day_cuts_no_pair(shelf, crm, carried):
    people = shelf()
    pipe = carried(people.source).deletes(right="delete")
    people.put(ANN, BOB, CAL)
    pipe.run()
    people.put()
    assert pipe.run().writes == 0
    people.put(*({**one, "name": one["name"].upper()} for one in (ANN, BOB, CAL)))
    assert pipe.run().writes == 3
    assert names(crm) == ["ANN", "BOB", "CAL"]


def test_a_row_that_is_missing_while_everything_is_looked_at_again_stays_tied_and_says_so(shelf, crm, carried):
    people = shelf()
    pipe = carried(people.source)
    people.put(ANN, BOB)
    pipe.run()
    people.put(BOB)
    pipe.look_again()
    [missed] = [row.because for row in pipe.run().rows() if row.ref == people.ref]
    assert (missed.code, missed.facts) == (Code.NOT_SHOWN, {"system": people.source.system})
    people.put({**ANN, "name": "anna"}, BOB)
    assert pipe.run().writes == 1
    assert names(crm) == ["anna", "bob"]


def test_where_the_author_says_so_a_row_that_is_missing_is_gone(shelf, crm, carried):
    people = shelf(absent="gone")
    pipe = carried(people.source).deletes(right="delete")
    people.put(ANN, BOB)
    pipe.run()
    people.put(BOB)
    [row] = [row for row in pipe.run().rows() if row.ref == people.ref]
    assert (row.disposition, row.because.code) == (Disposition.APPLIED, Code.REMOVED)
    assert names(crm) == ["bob"]


def test_a_pair_that_was_cut_by_a_missing_row_is_tied_again_when_the_row_is_back(shelf, crm, carried):
    people = shelf(absent="gone")
    pipe = carried(people.source)
    people.put(ANN, BOB)
    pipe.run()
    people.put(BOB)
    [row] = [row for row in pipe.run().rows() if row.ref == people.ref]
    assert (row.because.code, row.because.facts) == (Code.DETACHED, {"system": people.source.system})
    assert "was removed in " + people.source.system in str(pipe.why(people.ref))
    people.put({**ANN, "name": "anna"}, BOB)
    assert pipe.run().writes == 1
    assert names(crm) == ["anna", "bob"]


@pytest.mark.parametrize("guard", [gates.not_emptied(), gates.at_most(deletes=1)], ids=["not_emptied", "at_most"])
def test_guards_count_the_rows_that_are_gone_before_the_first_removal(shelf, crm, carried, guard):
    people = shelf(absent="gone")
    pipe = carried(people.source).deletes(right="delete").guard(guard)
    people.put(ANN, BOB, CAL)
    pipe.run()
    people.put()
    with pytest.raises(GuardTripped):
        pipe.run()
    people.put(ANN, BOB, CAL)
    assert pipe.run().writes == 0
    assert len(names(crm)) == 3


@pytest.mark.parametrize(("absent", "code"), [("kept", Code.ABSENT_IS_KEPT), ("gone", Code.DELETES_UNSEEN)])
def test_a_check_says_that_no_removal_will_ever_be_carried_over(shelf, carried, absent, code):
    people = shelf(absent=absent)
    found = {one.because.code for one in carried(people.source).deletes(right="archive").check()}
    assert found & {Code.ABSENT_IS_KEPT, Code.DELETES_UNSEEN} == {code}


def test_a_word_that_nobody_knows_is_refused(shelf):
    with pytest.raises(UsageError, match="absent='removed' is none of kept, gone"):
        shelf(absent="removed")


def test_a_table_that_shows_changes_alone_cannot_show_what_is_gone(tmp_path):
    with pytest.raises(UsageError, match="leave changed='serial' out"):
        plain.table(lambda: sqlite3.connect(tmp_path / "x"), "people", id="id", changed="serial", absent="gone")
