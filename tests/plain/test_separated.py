"""Files of separated values: what is read, what is refused, and where the error says that it lies."""

import asyncio
import csv as standard
import io
import os
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmbridge import plain
from crmbridge.drive import AsyncDriver
from crmbridge.errors import ContractBroken, NotAllowed, Unreachable, UsageError
from crmbridge.model import MISSING, Disposition, Query, RecordRef
from crmbridge.plain._files import LINE_LIMIT
from crmbridge.plain.separated import CELL_LIMIT, SeparatedFile
from crmbridge.protocols import Source

SECRET = "kim@example.test"


def every_row(run, source, fields, *, limit=2000):
    """Read from the beginning to the end, as a sweep does."""
    cursor, found = None, []
    while True:
        page = run(source.read(Query("row", fields, cursor, limit)))
        found += [(record.ref.id, *map(record.get, fields)) for record in page.rows]
        cursor = page.cursor
        if not page.more:
            return found


def refusal(run, tmp_path, content, **how):
    path = tmp_path / "people.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ContractBroken) as refused:
        every_row(run, plain.csv(path, id="id", **how), ("email",))
    assert SECRET not in str(refused.value)
    return str(refused.value)


def test_a_pipeline_from_a_file_is_five_lines_and_its_second_run_writes_nothing(tmp_path, crm, carried):
    path = tmp_path / "people.csv"
    path.write_text("id,email,name\n1,sei@x.test,清\n2,ken@x.test,\n", "utf-8")
    pipeline = carried(plain.csv(path, id="id"))
    assert pipeline.run().counts[Disposition.APPLIED] == 2
    assert [(row["email"], row.get("name")) for row in crm.rows("contact")] == [
        ("sei@x.test", "清"),
        ("ken@x.test", None),
    ]
    written = len(crm.ledger)
    assert pipeline.run().counts[Disposition.UNCHANGED] == 2
    assert len(crm.ledger) == written


def test_the_same_source_serves_a_driver_that_is_awaited(tmp_path, crm, carried):
    path = tmp_path / "people.csv"
    path.write_text("id,email,name\n1,sei@x.test,a\n", "utf-8")

    async def twice():
        pipeline = carried(plain.csv(path, id="id")).using(AsyncDriver())
        return [(await pipeline.run()).writes for _ in range(2)]

    assert asyncio.run(twice()) == [1, 0]


def test_only_the_row_that_changed_is_written_again_and_a_new_one_is_made(tmp_path, crm, carried):
    path = tmp_path / "people.csv"
    path.write_text("id,email,name\n1,sei@x.test,a\n2,ken@x.test,b\n", "utf-8")
    pipeline = carried(plain.csv(path, id="id"))
    pipeline.run()
    path.write_text("id,email,name\n3,ai@x.test,c\n2,ken@x.test,B\n1,sei@x.test,a\n", "utf-8")
    report = pipeline.run()
    assert (report.counts[Disposition.APPLIED], report.counts[Disposition.UNCHANGED]) == (2, 1)
    assert sorted(row["name"] for row in crm.rows("contact")) == ["B", "a", "c"]


@pytest.fixture
def ten_thousand(tmp_path):
    path = tmp_path / "people.csv"
    with path.open("w", encoding="cp932") as file:
        file.write("id,email,name\n")
        file.writelines(f'{number},p{number}@x.test,"名前 {number}"\n' for number in range(10_000))
    return plain.csv(path, id="id")


def test_ten_thousand_rows_take_a_page_of_memory(ten_thousand, run):
    tracemalloc.start()
    cursor, more, read = None, True, 0
    while more:
        page = run(ten_thousand.read(Query("row", ("email", "name"), cursor, 500)))
        cursor, more, read = page.cursor, page.more, read + len(page.rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read == 10_000
    assert peak < 2_000_000, "all rows at once take more than that several times over"


def test_ten_thousand_rows_cross_once(ten_thousand, crm, carried):
    pipeline = carried(ten_thousand)
    assert pipeline.run().counts[Disposition.APPLIED] == 10_000
    written = len(crm.ledger)
    assert pipeline.run().counts[Disposition.UNCHANGED] == 10_000
    assert len(crm.ledger) == written


@pytest.mark.parametrize(
    "content",
    ["id,氏名\n1,髙橋\n".encode(), "\ufeffid,氏名\n1,髙橋\n".encode(), "id,氏名\r\n1,髙橋\r\n".encode("cp932")],
    ids=["utf-8", "utf-8 with a mark", "cp932"],
)
def test_the_encodings_of_japan_are_told_apart(tmp_path, run, content):
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    assert every_row(run, plain.csv(path, id="id"), ("氏名",)) == [("1", "髙橋")]


def test_an_encoding_that_is_named_is_held_to(tmp_path, run):
    assert refusal(run, tmp_path, "id,email\n1,a\n2,名\n".encode("cp932"), encoding="utf-8") == (
        "csv: people.csv: line 3, column 2 (email) holds bytes that are no text in the file's encoding"
    )
    assert refusal(run, tmp_path, "\ufeffid,email\n", encoding="cp932") == (
        "csv: people.csv begins with the mark of UTF-8 and is said to be cp932"
    )


def test_bytes_of_neither_encoding_are_told_by_line_and_column(tmp_path, run):
    broken = b"id,email\n1,a\n2,\xff\xfe" + SECRET.encode() + b"\n"
    assert "line 3, column 2 (email) holds bytes that are no text" in refusal(run, tmp_path, broken)
    assert "line 2, column 2 (email) holds bytes" in refusal(run, tmp_path, b'id,email\n1,"a\n\xff"\n')


def test_a_file_of_utf_16_says_what_to_do(tmp_path, run):
    assert "is UTF-16; save it as CSV UTF-8" in refusal(run, tmp_path, "id,email\n".encode("utf-16"))


def test_quotes_hold_delimiters_quotes_and_line_ends(tmp_path, run):
    path = tmp_path / "people.csv"
    path.write_bytes(b'id,note,email\n1,"a,""b""\r\nc\n",x\n\n"2","",y\n')
    assert every_row(run, plain.csv(path, id="id"), ("note", "email")) == [("1", 'a,"b"\r\nc\n', "x"), ("2", None, "y")]


def test_a_line_within_quotes_may_begin_with_a_quote(tmp_path, run):
    path = tmp_path / "people.csv"
    path.write_bytes(b'id,note\n1,"a\n""b"" c"\n')
    assert every_row(run, plain.csv(path, id="id"), ("note",)) == [("1", 'a\n"b" c')]


def test_a_row_over_many_lines_may_be_as_long_as_the_longest_line_and_not_longer(tmp_path, run):
    path = tmp_path / "people.csv"
    names = [f"c{number}" for number in range(40)]
    row = "1" + ",".join(["", *(f'"{"x" * 104_850}\n"' for _ in names[1:]), '"{}"\n'])
    for length in (LINE_LIMIT, LINE_LIMIT + 1):
        last = "y" * (length - len(row.format("")))
        path.write_text(f"id,{','.join(names)}\n{row.format(last)}", "utf-8")
        if length == LINE_LIMIT:
            assert every_row(run, plain.csv(path, id="id"), ("c39",)) == [("1", last)]
    with pytest.raises(ContractBroken, match=r"column 40 \(c38\) makes a row of more than 4,194,304 characters"):
        every_row(run, plain.csv(path, id="id"), ("c39",))


def test_the_first_cell_of_a_row_may_be_empty_beside_quotes(tmp_path, run):
    path = tmp_path / "people.csv"
    path.write_bytes(b'note,id\n,"1"\n"",2\n')
    assert every_row(run, plain.csv(path, id="id"), ("note",)) == [("1", None), ("2", None)]


def test_a_row_that_is_read_by_its_place_alone_is_told_without_a_line(tmp_path):
    path = tmp_path / "people.csv"
    before = "id,email\n1,a\n"
    path.write_text(f'{before}2,b\n3,"c\n', "utf-8")
    with SeparatedFile("csv", path, "id").reading() as reading:
        rows = reading.rows(len(before))
        assert next(rows).values == {"id": "2", "email": "b"}
        with pytest.raises(ContractBroken, match=r"people\.csv, column 2 \(email\) opens a quote"):
            next(rows)


def test_a_tab_may_be_the_delimiter(tmp_path, run):
    path = tmp_path / "people.tsv"
    path.write_text("id\temail\n1\ta,b\n", "utf-8")
    assert every_row(run, plain.csv(path, id="id", delimiter="\t"), ("email",)) == [("1", "a,b")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f'id,email\n1,"{SECRET}\n2,b\n', "line 2, column 2 (email) opens a quote that is never closed"),
        (f'id,email\n1,"{SECRET}"x\n', "line 2, column 2 (email) goes on after its closing quote"),
        (f'id,email\n1,{SECRET}"x"\n', "line 2, column 2 (email) has a quote in a cell that does not begin with one"),
        (f"id,email\n1,a\n2,{SECRET}\0\n", "line 3, column 2 (email) holds a NUL"),
        (f'id,email\n1,"\n\0{SECRET}"\n', "line 2, column 2 (email) holds a NUL"),
        (f"id,email\n1,{SECRET}\rb\n", "line 2, column 2 (email) holds a carriage return outside quotes"),
        (f'id,note,email\n1,"a",{SECRET}\0\n', "line 2, column 3 (email) holds a NUL"),
        (f'id,note,email\n1,"a",{SECRET}\rb\n', "line 2, column 3 (email) holds a carriage return outside quotes"),
        (f"id,email\n1\n{SECRET},c\n", "line 2, column 2 (email) is missing: 1 cells, where the first line names 2"),
        (f"id,email\n1,{SECRET},c\n", "line 2, column 3 has no name: 3 cells, where the first line names 2"),
        (f"id,email\n1,a\n ,{SECRET}\n", "line 3, id holds no id"),
        (f"id,email\n1,a\n2,b\n1,{SECRET}\n", "line 4, id repeats the id of an earlier row"),
        (f'id,email\n1,"a\nb"\n2,{SECRET},\n', "line 4, column 3 has no name: 3 cells, where the first line names 2"),
        (f"{SECRET},kim\n", "line 1 names no column 'id'"),
        ("", "line 1 names no column 'id'"),
        ("id,email,email\n", "line 1, column 3 repeats a name"),
        ("id,,email\n", "line 1, column 2 has no name"),
        (f"id,email\n1,{'x' * 1_000_000}\n", "line 2, column 2 (email) is longer than 131,072 characters"),
        (f'id,email\n1,"{"x" * 1_000_000}"\n', "line 2, column 2 (email) opens a quote that is not closed within"),
        ('id,email\n1,"' + "x\n" * 100_000, "line 2, column 2 (email) opens a quote that is not closed within"),
        ("id,email\n1" + (',"' + "x" * 100_000 + '\n"') * 50, "line 2, column 42 makes a row of more than 4,194,304"),
        ("id,email\n1," + "x" * 5_000_000, "line 2 is longer than 4,194,304 bytes"),
    ],
)
def test_a_hostile_file_is_refused_with_line_and_column_and_without_its_values(tmp_path, run, content, said):
    assert refusal(run, tmp_path, content).startswith(f"csv: people.csv: {said}")


def test_a_broken_row_at_the_end_stops_a_run_before_anything_is_written(tmp_path, crm, carried):
    path = tmp_path / "people.csv"
    path.write_text("id,email,name\n" + "".join(f"{n},{n}@x.test,n\n" for n in range(3000)) + "x,y\n", "utf-8")
    with pytest.raises(ContractBroken, match="line 3002"):
        carried(plain.csv(path, id="id")).run()
    assert crm.ledger == []


def test_the_longest_cell_that_fits_is_read(tmp_path, run):
    path = tmp_path / "people.csv"
    long = "x" * CELL_LIMIT
    path.write_text(f'id,a,b\n1,{long},"{long}"\n', "utf-8")
    assert every_row(run, plain.csv(path, id="id"), ("a", "b")) == [("1", long, long)]


def test_what_was_not_read_is_missing_and_what_is_not_there_is_gone(tmp_path, run):
    path = tmp_path / "people.csv"
    path.write_text("id,email\n1,a\n", "utf-8")
    source = plain.csv(path, id="id")
    refs = [RecordRef("csv", "row", id) for id in ("2", "1", "1")]
    [record] = run(source.fetch(refs, ("email", "phone"))).rows
    assert (record.ref.id, record.get("email"), record.get("phone")) == ("1", "a", MISSING)


def test_a_row_has_one_version_until_it_changes_in_any_column(tmp_path, run):
    path = tmp_path / "people.csv"

    def version(text):
        path.write_text(text, "utf-8")
        [record] = run(plain.csv(path, id="id").read(Query("row", ("email",)))).rows
        return record.version

    first = version("id,email,note\n1,a,x\n")
    assert first == version("id,email,note\n1,a,x\n") == version("note,id,email\nx,1,a\n")
    assert len({first, version("id,email,note\n1,a,y\n"), version("id,email,other\n1,a,x\n")}) == 3


def test_reading_goes_on_behind_the_last_row_and_is_complete_at_the_end_alone(tmp_path, run):
    path = tmp_path / "people.csv"
    path.write_text('id,email\n1,"a\nb"\n2,b\n3,c\n', "utf-8")
    source = plain.csv(path, id="id")
    first = run(source.read(Query("row", (), None, 2)))
    assert (first.rows.ids, first.more, first.complete) == (("1", "2"), True, False)
    second = run(plain.csv(path, id="id").read(Query("row", (), first.cursor, 2)))
    assert (second.rows.ids, second.more, second.complete) == (("3",), False, True)
    assert run(source.read(Query("row", (), second.cursor, 2))).rows.ids == ("1", "2")


def test_a_file_that_was_replaced_is_read_from_its_beginning_and_an_appended_one_goes_on(tmp_path, run):
    path = tmp_path / "people.csv"
    path.write_text("id,email\n1,a\n2,b\n3,c\n", "utf-8")
    source = plain.csv(path, id="id")
    cursor = run(source.read(Query("row", (), None, 2))).cursor
    path.write_text('id,email\n0,"\n9"\n1,a\n2,b\n3,c\n', "utf-8")
    again = run(source.read(Query("row", (), cursor, 9)))
    assert (again.rows.ids, again.complete) == (("0", "1", "2", "3"), False)
    path.write_text("id,email\n1,a\n2,b\n3,c\n4,d\n", "utf-8")
    assert run(source.read(Query("row", (), cursor, 9))).rows.ids == ("3", "4")
    path.write_text("id,email\n1,a\n", "utf-8")
    assert run(source.read(Query("row", (), cursor, 9))).rows.ids == ("1",)
    path.write_text("id,email\n8,a\n9,b\n3,c\n", "utf-8")
    assert run(source.read(Query("row", (), cursor, 9))).rows.ids == ("8", "9", "3"), "other rows in the same places"


@given(st.lists(st.tuples(st.integers(0, 99), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9)),
                unique_by=lambda row: row[0], max_size=12), st.integers(1, 4), st.sampled_from(["\n", "\r\n"]))  # fmt: skip
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_standard_library_writes_is_read_as_it_was_in_pages_of_any_size(tmp_path, run, held, limit, end):
    text = io.StringIO()
    writer = standard.writer(text, lineterminator=end, quoting=standard.QUOTE_ALL)
    writer.writerows([("id", "email"), *held])
    path = tmp_path / "people.csv"
    path.write_bytes(text.getvalue().encode())
    source = plain.csv(path, id="id")
    assert every_row(run, source, ("email",), limit=limit) == [(str(id), value or None) for id, value in held]
    for id, value in held:
        [record] = run(source.fetch([RecordRef("csv", "row", str(id))], ("email",))).rows
        assert record.get("email") == (value or None)


@given(st.binary(max_size=60), st.sampled_from(["auto", "utf-8", "cp932"]))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused_by_an_error_of_ours(tmp_path, run, noise, encoding):
    path = tmp_path / "noise.csv"
    path.write_bytes(b"id,x\n" + noise)
    try:
        every_row(run, plain.csv(path, id="id", encoding=encoding), ("x",), limit=2)
    except ContractBroken as refused:
        assert "noise.csv" in str(refused)  # noqa: PT017 - either way is right


def test_a_path_that_leads_out_of_its_folder_is_refused(tmp_path, run):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "people.csv").write_text("id\n", "utf-8")
    (inside / "link.csv").symlink_to(tmp_path / "people.csv")
    for path in (inside / ".." / "people.csv", inside / "link.csv"):
        with pytest.raises(UsageError, match="lies outside the folder") as refused:
            run(plain.csv(path, id="id", within=inside).schema("row"))
        assert str(tmp_path) not in str(refused.value)
    (inside / "own.csv").write_text("id\n", "utf-8")
    assert set(run(plain.csv(inside / "own.csv", id="id", within=inside).schema("row")).fields) == {"id"}


def test_what_is_no_regular_file_is_not_read(tmp_path, run):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", tmp_path):
        with pytest.raises(UsageError, match="is no regular file"):
            run(plain.csv(path, id="id").schema("row"))


def test_a_file_that_is_not_there_or_closed_to_us_is_the_worlds_fault(tmp_path, run):
    with pytest.raises(Unreachable, match=r"gone\.csv is not there"):
        run(plain.csv(tmp_path / "gone.csv", id="id").schema("row"))
    if os.geteuid() != 0:
        (tmp_path / "closed.csv").touch(mode=0)
        with pytest.raises(NotAllowed, match=r"closed\.csv may not be read"):
            run(plain.csv(tmp_path / "closed.csv", id="id").schema("row"))


@pytest.mark.parametrize("how", [{"encoding": "latin-1"}, {"delimiter": ""}, {"delimiter": '"'}, {"delimiter": "ab"}])
def test_a_way_of_reading_that_cannot_work_is_refused_at_once(tmp_path, how):
    with pytest.raises(UsageError):
        plain.csv(tmp_path / "people.csv", id="id", **how)


def test_a_source_knows_its_own_kind_only(tmp_path):
    source: Source = plain.csv(tmp_path / "people.csv", id="id", kind="person")
    with pytest.raises(UsageError, match="'person', not 'row'"):
        source.capabilities("row")
    assert not source.capabilities("person").incremental
