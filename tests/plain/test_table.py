"""Tables: read whole or by what has changed, through DB-API and SQLAlchemy."""

import contextlib
import datetime as dt
import sqlite3
import types
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmbridge import plain
from crmbridge.errors import ContractBroken, MissingExtra, Refused, Unreachable, UsageError
from crmbridge.model import MISSING, Disposition, FieldType, Query, RecordRef
from crmbridge.plain._database import Alchemy, DbApi, Select, bare
from crmbridge.reasons import Code, because

NOON = dt.datetime(2026, 1, 5, 12)


class Base:
    """A database in a file, and a function that connects to it."""

    def __init__(self, path):
        self.path = path
        self.opened = 0
        self.change("CREATE TABLE 顧客 (id INTEGER PRIMARY KEY, email TEXT, name TEXT, serial INTEGER)")

    def connect(self):
        self.opened += 1
        return sqlite3.connect(self.path)

    def change(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement, values)

    def put(self, id, serial, name="x", email=None):
        self.change("INSERT OR REPLACE INTO 顧客 VALUES (?, ?, ?, ?)", id, email or f"{id}@x.test", name, serial)


@pytest.fixture
def base(tmp_path):
    return Base(tmp_path / "crm.db")


@pytest.fixture(params=["dbapi", "sqlalchemy"])
def reach(request, base):
    """What `plain.table` is given: a function that connects, or an engine."""
    if request.param == "dbapi":
        yield base.connect
        return
    engine = pytest.importorskip("sqlalchemy").create_engine(f"sqlite:///{base.path}")
    yield engine
    engine.dispose()


def sweep(run, source, cursor=None, limit=2, kind="顧客"):
    found = []
    while True:
        page = run(source.read(Query(kind, ("name",), cursor, limit)))
        found += page.rows.ids
        cursor = page.cursor
        if not page.more:
            return found, cursor, page.complete


def test_a_pipeline_from_a_table_runs_twice_and_writes_once(reach, base, crm, carried):
    for number in range(5):
        base.put(number, 1)
    pipeline = carried(plain.table(reach, "顧客", id="id"), "顧客")
    assert pipeline.run().counts[Disposition.APPLIED] == 5
    written = len(crm.ledger)
    assert pipeline.run().counts[Disposition.UNCHANGED] == 5
    assert len(crm.ledger) == written
    base.put(3, 1, name="new")
    assert pipeline.run().counts[Disposition.APPLIED] == 1


def test_without_a_changed_column_each_sweep_reads_all_of_it(reach, base, run):
    for number in range(5):
        base.put(number, 1)
    source = plain.table(reach, "顧客", id="id")
    assert not source.capabilities("顧客").incremental
    found, cursor, complete = sweep(run, source)
    assert (found, complete) == (["0", "1", "2", "3", "4"], True)
    assert sweep(run, source, cursor)[0] == found


def test_with_a_changed_column_later_sweeps_ask_for_changes_alone(reach, base, run):
    for number in range(5):
        base.put(number, number)
    source = plain.table(reach, "顧客", id="id", changed="serial")
    assert source.capabilities("顧客").incremental
    found, cursor, complete = sweep(run, source)
    assert (found, complete) == (["0", "1", "2", "3", "4"], True)
    assert sweep(run, source, cursor)[0] == ["4"], "what has the last stamp is looked at again"
    for number in (1, 7, 0):
        base.put(number, 9)
    base.put(8, 8)
    found, cursor, complete = sweep(run, source, cursor)
    assert (found, complete) == (["4", "8", "0", "1", "7"], False)
    assert sweep(run, source, cursor)[0] == ["0", "1", "7"]


def test_what_changes_while_the_table_is_read_is_seen_by_the_next_sweep(base, run):
    for number in range(4):
        base.put(number, number)
    source = plain.table(base.connect, "顧客", id="id", changed="serial")
    first = run(source.read(Query("顧客", ("name",), None, 2)))
    base.put(0, 9)
    base.put(3, 10)
    found, cursor, _ = sweep(run, source, first.cursor)
    assert found == ["2", "3"]
    assert "0" in sweep(run, source, cursor)[0]


def test_a_table_that_never_rests_has_an_end_in_each_sweep(base, run):
    for number in range(4):
        base.put(number, number)
    source = plain.table(base.connect, "顧客", id="id", changed="serial")
    _, cursor, _ = sweep(run, source)
    for number in range(4):
        base.put(number, 10 + number)
    seen, more = [], True
    while more:
        page = run(source.read(Query("顧客", ("name",), cursor, 1)))
        seen += page.rows.ids
        cursor, more = page.cursor, page.more
        base.put(0, 100 + len(seen))
        assert len(seen) < 10
    assert "0" in sweep(run, source, cursor)[0]


@given(st.lists(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), max_size=6), max_size=5), st.integers(1, 3))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_change_is_ever_skipped_whatever_the_page_and_however_stamps_are_shared(tmp_path, run, rounds, limit):
    (tmp_path / "law.db").unlink(missing_ok=True)
    base = Base(tmp_path / "law.db")
    source = plain.table(base.connect, "顧客", id="id", changed="serial")
    cursor, stamp = None, 0
    for changes in rounds:
        for id, later in changes:
            stamp += later
            base.put(id, stamp)
        found, cursor, _ = sweep(run, source, cursor, limit)
        assert {str(id) for id, _ in changes} <= set(found)


def test_a_stamp_that_stands_still_does_not_hide_a_change(base, run):
    source = plain.table(base.connect, "顧客", id="id", changed="serial")
    base.put(1, 1, name="a")
    [before] = run(source.read(Query("顧客", ("name",)))).rows
    base.put(1, 1, name="b")
    [after] = run(source.fetch([before.ref], ("name",))).rows
    assert before.version != after.version


def test_rows_without_a_stamp_are_refused_since_no_later_sweep_would_show_them(base, run):
    base.put(1, None)
    with pytest.raises(ContractBroken, match="顧客, serial is empty in some rows"):
        run(plain.table(base.connect, "顧客", id="id", changed="serial").read(Query("顧客", ())))


def test_rows_are_fetched_by_id_in_the_columns_own_type(reach, base, run):
    base.put(1, 1, name="a")
    refs = [RecordRef("database", "顧客", id) for id in ("1", "9", "1", "one")]
    [record] = run(plain.table(reach, "顧客", id="id").fetch(refs, ("name", "gone"))).rows
    assert (record.ref.id, record.get("name"), record.get("gone")) == ("1", "a", MISSING)
    base.change("CREATE TABLE t (code TEXT PRIMARY KEY, v)")
    base.change("INSERT INTO t VALUES ('01', 'x'), ('1', 'y')")
    [record] = run(plain.table(reach, "t", id="code").fetch([RecordRef("database", "t", "01")], ("v",))).rows
    assert record.get("v") == "x"
    assert len(run(plain.table(reach, "t", id="code").fetch([], ("v",))).rows) == 0


def test_an_id_of_numbers_is_asked_for_as_a_number(run):
    connection = Recorded(["id"], [(7,)])
    run(plain.table(lambda: connection, "t", id="id").fetch([RecordRef("database", "t", "7")], ()))
    assert connection.asked[-1] == ("SELECT * FROM t WHERE id IN (?) ORDER BY id", (7,))


@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_id_that_a_view_holds_twice_is_told_of_it_wherever_a_page_ends(base, run, at):
    for number in range(4):
        base.put(number, 1)
    base.change(f"CREATE VIEW doubled AS SELECT * FROM 顧客 UNION ALL SELECT * FROM 顧客 WHERE id = {at}")
    source = plain.table(base.connect, "doubled", id="id")
    assert sweep(run, source, kind="doubled")[0] == ["0", "1", "2", "3"]
    page = run(source.fetch([RecordRef("database", "doubled", str(number)) for number in range(4)], ("name",)))
    why = because(Code.REPEATED_ID, system="database", field="id")
    assert page.unreadable == {RecordRef("database", "doubled", str(at)): why}
    assert page.rows.ids == ("0", "1", "2", "3")


@pytest.mark.parametrize("how", [{}, {"changed": "serial"}])
def test_a_row_that_cannot_be_read_is_parked_alone_until_it_is_mended(base, crm, carried, how):
    for number in range(450):
        base.put(number, number)
    base.change("UPDATE 顧客 SET name = x'ff00' WHERE id = 449")
    pipe = carried(plain.table(base.connect, "顧客", id="id", **how), "顧客")
    for writes in (449, 0):
        report = pipe.run()
        [broken] = [row for row in report.rows() if row.disposition is Disposition.QUARANTINED]
        assert (report.writes, broken.ref.id) == (writes, "449")
        assert broken.because == because(Code.UNREADABLE, system="database", field="name", found="bytes")
    base.put(449, 1000, name="sound")
    assert pipe.run().writes == 1
    assert crm.rows("contact")[-1]["name"] == "sound"


def test_two_rows_of_one_id_are_parked_alone_until_one_of_them_is_left(base, crm, carried):
    base.change("CREATE TABLE loose (id INTEGER, email TEXT, name TEXT)")
    for id, name in ((1, "ann"), (2, "bob"), (2, "rob"), (3, "cal")):
        base.change("INSERT INTO loose VALUES (?, ?, ?)", id, f"{id}@x.test", name)
    pipe = carried(plain.table(base.connect, "loose", id="id"), "loose")
    for writes in (2, 0):
        report = pipe.run()
        assert (report.writes, report.counts[Disposition.QUARANTINED]) == (writes, 1)
    base.change("DELETE FROM loose WHERE name = 'bob'")
    assert pipe.run().writes == 1
    assert [row["name"] for row in crm.rows("contact")] == ["ann", "cal", "rob"]


def test_columns_tell_their_sort_and_one_that_is_no_value_matters_only_when_it_is_asked_for(base, run):
    base.change("CREATE TABLE t (id TEXT, n REAL, photo BLOB)")
    base.change("INSERT INTO t VALUES ('a', 0.5, x'00')")
    source = plain.table(base.connect, "t", id="id")
    assert run(source.schema("t")).fields["n"].type is FieldType.NUMBER
    [record] = run(source.read(Query("t", ("n",)))).rows
    assert record.get("n") == Decimal("0.5")
    page = run(source.read(Query("t", ("photo",))))
    assert [why.facts["found"] for why in page.unreadable.values()] == ["bytes"]
    assert [record.get("photo") for record in page.rows] == [MISSING]


@pytest.mark.parametrize("id", [None, "' '", "x'00'"])
def test_a_row_without_an_id_is_refused(base, run, id):
    base.change("CREATE TABLE t (id, v)")
    base.change(f"INSERT INTO t VALUES ({id or 'NULL'}, 1)")
    with pytest.raises(ContractBroken, match="t, id holds no id"):
        run(plain.table(base.connect, "t", id="id").read(Query("t", ())))


def test_an_id_that_is_no_column_is_told(run):
    with pytest.raises(ContractBroken, match="t has no column ident"):
        run(plain.table(lambda: Recorded(["id"], [(1,)]), "t", id="ident").read(Query("t", ())))


def test_a_missing_table_is_told_without_the_databases_words(reach, run):
    with pytest.raises((Unreachable, Refused), match="database: the database answers OperationalError") as refused:
        run(plain.table(reach, "nothing", id="id").schema("nothing"))
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "name", ["", "a b", "a;b", "a--", "a'", "1a", "a.", 'a"b"', '"a', '"a:p0"', '"50%"', "a\n", "(select 1)", '"a""b"']
)
def test_a_name_that_could_be_more_than_a_name_is_refused(base, name):
    for names in ((name, "id", None), ("t", name, None), ("t", "id", name)):
        with pytest.raises(UsageError, match="is no name of a table or column"):
            plain.table(base.connect, names[0], id=names[1], changed=names[2])


@pytest.mark.parametrize(
    ("name", "called"), [("t", "t"), ("public.t", "t"), ('"order"', "order"), ("[a b]", "a b"), ('s."x.y"', "x.y")]
)
def test_odd_names_stand_in_quotes_and_are_called_without_them(base, run, name, called):
    assert bare(name) == called
    assert plain.table(base.connect, name, id="id").capabilities(called).fetch_batch


def test_a_table_with_an_odd_name_is_read(base, run):
    base.change('CREATE TABLE "order" ("the id" TEXT, v TEXT)')
    base.change("""INSERT INTO "order" VALUES ('a', 'x')""")
    source = plain.table(base.connect, '"order"', id='"the id"')
    [record] = run(source.read(Query("order", ("v",)))).rows
    assert (record.ref.id, record.get("v")) == ("a", "x")


class Recorded:
    """A DB-API module's connection that remembers what it was asked, and answers with rows that it was given."""

    def __init__(self, names, rows):
        self.description = [(name,) for name in names]
        self.asked, self._rows = [], rows

    def cursor(self):
        return self

    def execute(self, statement, values):
        self.asked.append((statement, values))

    def fetchall(self):
        return self._rows

    def close(self):
        pass


@pytest.mark.parametrize(
    ("style", "where", "values"),
    [
        ("qmark", "a > ? OR (a = ? AND b > ?)", (1, 1, 2)),
        ("format", "a > %s OR (a = %s AND b > %s)", (1, 1, 2)),
        ("pyformat", "a > %s OR (a = %s AND b > %s)", (1, 1, 2)),
        ("numeric", "a > :1 OR (a = :2 AND b > :3)", (1, 1, 2)),
        ("named", "a > :p0 OR (a = :p0 AND b > :p1)", {"p0": 1, "p1": 2}),
    ],
)
def test_values_are_bound_in_the_style_of_the_module_and_never_written_into_the_statement(style, where, values):
    connection = Recorded(["a"], [])
    select = Select("*", "a > :p0 OR (a = :p0 AND b > :p1)", (1, 2), ("a", "b"), 3)
    DbApi("db", lambda: connection, style).ask("t", select)
    assert connection.asked == [(f"SELECT * FROM t WHERE {where} ORDER BY a, b LIMIT 3", values)]


def test_reads_by_instants_begin_a_little_before_the_last_one(run):
    connection = Recorded(["id", "at"], [("1", NOON)])
    source = plain.table(lambda: connection, "t", id="id", changed="at", overlap=dt.timedelta(minutes=5))
    cursor = '{"since":"instant:2026-01-05T12:00:00","top":"instant:2026-01-05T12:30:00","v":1}'
    [record] = run(source.read(Query("t", ("at",), cursor))).rows
    assert connection.asked[-1][1] == (NOON - dt.timedelta(minutes=5), NOON + dt.timedelta(minutes=30))
    assert record.stamp == record.get("at") == NOON.replace(tzinfo=dt.UTC)


def test_an_instant_without_a_zone_is_in_the_zone_that_was_named(run):
    tokyo = dt.timezone(dt.timedelta(hours=9))
    source = plain.table(lambda: Recorded(["id", "at"], [("1", NOON)]), "t", id="id", zone=tokyo)
    [record] = run(source.fetch([RecordRef("database", "t", "1")], ("at",))).rows
    assert record.get("at") == NOON.replace(tzinfo=tokyo)


@pytest.mark.parametrize("stamp", [7, "2026", 1.5, Decimal("1.5"), NOON, NOON.date(), b"\x00\x01"])
def test_a_stamp_of_any_ordered_sort_goes_into_the_cursor_and_comes_back(run, stamp):
    connection = Recorded(["id", "at"], [(stamp, stamp)])
    source = plain.table(lambda: connection, "t", id="id", changed="at", overlap=dt.timedelta(0))
    sealed = source._sealed(stamp, "at")
    connection._rows = [("1", stamp), ("2", stamp)]
    run(source.read(Query("t", (), f'{{"since":"{sealed}","top":"{sealed}","v":1}}', 1)))
    assert connection.asked[-1][1] == (stamp, stamp)


def test_a_changed_column_of_fractions_tells_what_has_changed(base, run):
    base.change("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, at REAL)")
    for number in range(5):
        base.change("INSERT INTO t VALUES (?, 'x', ?)", number, number / 10)
    source = plain.table(base.connect, "t", id="id", changed="at")
    found, cursor, _ = sweep(run, source, kind="t")
    assert found == ["0", "1", "2", "3", "4"]
    base.change("UPDATE t SET at = 0.5 WHERE id = 1")
    assert sweep(run, source, cursor, kind="t")[0] == ["4", "1"]


@pytest.mark.parametrize("stamp", [float("nan"), float("inf")])
def test_a_stamp_that_is_no_number_is_refused(run, stamp):
    with pytest.raises(ContractBroken, match="t, at holds a float that is not finite"):
        run(plain.table(lambda: NullsThenTop([[stamp]]), "t", id="id", changed="at").read(Query("t", ())))


def test_a_stamp_without_an_order_is_refused(run):
    with pytest.raises(ContractBroken, match="t, at holds a bool, which has no order"):
        run(plain.table(lambda: NullsThenTop([[True]]), "t", id="id", changed="at").read(Query("t", ())))


class NullsThenTop(Recorded):
    """Answers that no stamp is empty, and that the highest one is this."""

    def __init__(self, top):
        super().__init__(["top"], top)

    def fetchall(self):
        return [] if "IS NULL" in self.asked[-1][0] else self._rows


def test_a_module_without_a_class_in_common_is_told_by_the_names_of_its_errors():
    module = types.SimpleNamespace()
    module.OperationalError = type("OperationalError", (Exception,), {"sqlstate": "57P01"})
    module.DataError = type("DataError", (Exception,), {"sqlstate": "kim@example.test"})

    def failing(error):
        def connect():
            raise error("kim@example.test")

        return DbApi("db", connect)

    with pytest.raises(Unreachable) as later:
        failing(module.OperationalError).ask("t", Select())
    with pytest.raises(Refused) as never:
        failing(module.DataError).ask("t", Select())
    assert later.value.code == "SQLSTATE.57P01"
    assert "kim" not in f"{later.value}{never.value}{never.value.code}"


def test_what_is_no_connection_at_all_is_refused_at_once():
    with pytest.raises(UsageError, match="give a function that connects, or an engine"):
        plain.table("crm.db", "t", id="id")


def test_an_engine_without_sqlalchemy_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sqlalchemy", None)
    with pytest.raises(MissingExtra, match=r"crmbridge\[sql\]"):
        Alchemy("db", object()).ask("t", Select())
