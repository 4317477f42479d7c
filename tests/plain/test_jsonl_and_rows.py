"""JSON Lines and rows in memory: values keep their types, and what is no value of a field is told by its place."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge import plain
from crmbridge.errors import ContractBroken, UsageError
from crmbridge.model import MISSING, Disposition, FieldType, Query, RecordRef
from crmbridge.plain._places import Places

NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
SECRET = "kim@example.test"


def first(run, source, *fields):
    [record] = run(source.read(Query("row", fields))).rows
    return [record.get(name) for name in fields]


def lines(tmp_path, *told, encoding="utf-8"):
    path = tmp_path / "people.jsonl"
    path.write_text("\n".join(told) + "\n", encoding)
    return plain.jsonl(path, id="id")


def test_a_pipeline_from_json_lines_runs_twice_and_writes_once(tmp_path, crm, carried):
    pipeline = carried(
        lines(tmp_path, '{"id": 1, "email": "a@x.test", "name": "清"}', "", '{"id": 2, "email": "b@x.test"}')
    )
    assert pipeline.run().counts[Disposition.APPLIED] == 2
    written = len(crm.ledger)
    assert pipeline.run().counts[Disposition.UNCHANGED] == 2
    assert len(crm.ledger) == written


def test_json_keeps_its_types_and_an_inner_object_goes_by_dotted_names(tmp_path, run):
    source = lines(
        tmp_path, '{"id": 7, "n": 0.1, "on": true, "tags": ["b", "a"], "no": null, "company": {"name": "社"}}'
    )
    held = first(run, source, "id", "n", "on", "tags", "no", "company.name", "gone")
    assert held == [7, Decimal("0.1"), True, ("b", "a"), None, "社", MISSING]
    kinds = {name: spec.type for name, spec in run(source.schema("row")).fields.items()}
    assert kinds == {
        "id": FieldType.NUMBER,
        "n": FieldType.NUMBER,
        "on": FieldType.FLAG,
        "tags": FieldType.CHOICES,
        "no": FieldType.TEXT,
        "company.name": FieldType.TEXT,
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_json_lines_come_in_the_encodings_of_japan(tmp_path, run, encoding):
    assert first(run, lines(tmp_path, '{"id": "1", "name": "髙橋"}', encoding=encoding), "name") == ["髙橋"]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ('{"id": "2", "a": "' + SECRET, "line 2, character"),
        ('["' + SECRET + '"]', "line 2 is no JSON object"),
        ('{"id": "2", "a": "' + SECRET + '", "a": 1}', "line 2 tells a member twice"),
        ('{"id": "2", "a": {"b": 1}, "a.b": 2}', "line 2, a.b is told twice"),
        ('{"id": "2", "a": [1]}', "line 2, a holds a list of something else than texts"),
        ('{"id": "2", "a": [{"b": "' + SECRET + '"}]}', "line 2, a holds a list of something else than texts"),
        ('{"id": "2", "a": NaN}', "line 2 holds a number or a depth"),
        ('{"id": "2", "a": 1' + "0" * 5000 + "}", "line 2 holds a number or a depth"),
        ('{"id": "2", "a": 1' + "0" * 100 + "}", "line 2 holds a number or a depth"),
        ('{"id": "2", "a": 1e999}', "line 2 holds a number or a depth"),
        ('{"id": "2", "a": 1E9999999999999999999}', "line 2 holds a number or a depth"),
        ('{"id": "2", "a": 1E-9999999999999999999}', "line 2 holds a number or a depth"),
        ("[" * 200_000, "line 2"),
        ('{"id": "2", "a": ' + '{"a":' * 12 + "1" + "}" * 13, "line 2, a.a.a.a.a.a.a.a.a lies deeper than 8 objects"),
        ('{"id": "2", "a": "\\ud800' + SECRET + '"}', "line 2, a holds half of a character"),
        ('{"id": "2", "a": "\\u0000' + SECRET + '"}', "line 2, a holds a NUL"),
        ('{"a": "' + SECRET + '"}', "line 2, id holds no id"),
        ('{"id": true}', "line 2, id holds no id"),
        ('{"id": "1", "a": "' + SECRET + '"}', "line 2, id repeats the id of an earlier row"),
    ],
)
def test_a_hostile_line_is_refused_with_its_place_and_without_its_values(tmp_path, run, told, said):
    with pytest.raises(ContractBroken) as refused:
        run(lines(tmp_path, '{"id": "1"}', told).schema("row"))
    assert str(refused.value).startswith(f"jsonl: people.jsonl: {said}")
    assert SECRET not in str(refused.value)


def test_bytes_that_are_no_text_are_told_by_character(tmp_path, run):
    path = tmp_path / "people.jsonl"
    path.write_bytes(b'{"id": "\xff"}\n')
    with pytest.raises(ContractBroken, match=r"line 1, character 9 is no text in the file's encoding"):
        run(plain.jsonl(path, id="id", encoding="utf-8").schema("row"))


def test_rows_of_a_program_cross_and_a_list_is_looked_at_anew_by_each_run(crm, carried):
    people = [{"id": 1, "email": "a@x.test", "name": "a"}]
    pipeline = carried(plain.rows(people, id="id"))
    pipeline.run()
    people[0]["name"] = "b"
    people.append({"id": 2, "email": "b@x.test", "name": "c"})
    pipeline.run()
    assert sorted(row["name"] for row in crm.rows("contact")) == ["b", "c"]
    written = len(crm.ledger)
    assert pipeline.run().counts[Disposition.UNCHANGED] == 2
    assert len(crm.ledger) == written


def test_what_can_be_iterated_once_is_kept(crm, carried):
    pipeline = carried(plain.rows(({"id": n, "email": f"{n}@x.test"} for n in range(3)), id="id", fields=["name"]))
    assert pipeline.run().counts[Disposition.APPLIED] == 3
    assert pipeline.run().counts[Disposition.UNCHANGED] == 3


def test_values_of_a_program_become_cells(run):
    told = {
        "id": "1",
        "float": 0.1,
        "set": {"b", "a"},
        "date": NOON.date(),
        "at": NOON,
        "time": dt.time(9, 30),
        "uuid": uuid.UUID(int=1),
        "ref": RecordRef("a", "b", "c"),
        "refs": [RecordRef("a", "b", "c")],
    }
    source = plain.rows([told], id="id")
    held = first(run, source, *told)
    assert held == ["1", Decimal("0.1"), ("a", "b"), NOON.date(), NOON, "09:30:00", str(uuid.UUID(int=1)),
                    RecordRef("a", "b", "c"), (RecordRef("a", "b", "c"),)]  # fmt: skip
    fields = run(source.schema("row")).fields
    assert [fields[name].type for name in ("date", "at", "ref", "refs")] == [
        FieldType.DATE,
        FieldType.INSTANT,
        FieldType.REFERENCE,
        FieldType.REFERENCES,
    ]


def test_a_quiet_day_without_rows_is_no_error_where_the_fields_are_named(tmp_path, crm, carried):
    (tmp_path / "people.jsonl").touch()
    for source in (
        plain.rows([], id="id", fields=["email", "name"]),
        plain.jsonl(tmp_path / "people.jsonl", id="id", fields=["email", "name"]),
    ):
        assert carried(source).run().read == 0


def test_a_field_with_values_of_two_sorts_is_text(run):
    source = plain.rows(
        [{"id": "1", "a": None}, {"id": "2", "a": 1}, {"id": "3", "a": "x"}, {"id": "4", "a": 2}], id="id"
    )
    assert run(source.schema("row")).fields["a"].type is FieldType.TEXT


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "a number that is not finite"),
        (b"x", "a bytes"),
        (NOON.replace(tzinfo=None), "an instant without a zone"),
        ({"a": 1}, "a dict"),
        ([1], "a list of something else than texts"),
        ("a\0", "a NUL"),
    ],
)
def test_what_is_no_value_of_a_field_is_told_by_row_and_name(run, value, said):
    with pytest.raises(ContractBroken, match=f"line 2, a holds {said}"):
        run(plain.rows([{"id": "1"}, {"id": "2", "a": value}], id="id").schema("row"))


def test_a_cursor_of_somebody_else_is_refused(run):
    with pytest.raises(UsageError, match="was not made by this connector"):
        run(plain.rows([], id="id").read(Query("row", (), "7")))


@given(st.lists(st.text(max_size=6), unique=True, max_size=60), st.text(max_size=6))
def test_an_id_is_found_where_it_was_put_and_nowhere_else(ids, stranger):
    places = Places()
    for place, id in enumerate(ids):
        places.add(id, place)
    assert len(places) == len(ids)
    assert [list(places.find(id)) for id in ids] == [[place] for place in range(len(ids))]
    assert list(places.find(stranger)) == [place for place, id in enumerate(ids) if id == stranger]


def test_the_package_of_plain_things_loads_each_when_it_is_asked_for():
    assert set(plain.__all__) <= set(dir(plain))
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = plain.no_such_thing
