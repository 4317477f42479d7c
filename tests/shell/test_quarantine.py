"""Parked records leave as a table that nobody's values are in, and come back as rulings on what is still parked."""

import csv
import datetime as dt
import unicodedata

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge import at, key, level, one_way, pair
from crmbridge.errors import ContractBroken, UsageError
from crmbridge.model import Agreed, FieldSpec, Link, RecordRef
from crmbridge.plain import rows
from crmbridge.quarantine import Exported, NotTaken, Parked, Ruled, Unheld, _cell, export, grouped, parked, rule
from crmbridge.reasons import Code, because
from crmbridge.report import Names
from crmbridge.roles import Delta, QueueRow
from crmbridge.stores import MemoryStore, SqliteStore
from crmbridge.testing.connector import FakeConnector, described

NOW = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
NAMES = Names("crm", "mail")
SECRET = "kim@example.test"


def row(id, state="disputed", why=None, *, side="left", system="crm", **more):
    because_ = why or because(Code.BOTH_CHANGED, field="phone")
    return QueueRow(side, RecordRef(system, "contact", id), state=state, because=because_, **more)


class Desk:
    """A store with parked records, and a folder for files."""

    def __init__(self, store, folder):
        self.store, self.folder, self.path = store, folder, folder / "parked.csv"

    def park(self, *parked_rows):
        fence = self.store.leases.take("people", "me", NOW, dt.timedelta(minutes=5))
        arrivals = tuple(QueueRow(one.side, one.ref) for one in parked_rows)
        self.store.commit("people", Delta(queue=arrivals), fence)
        numbers = {one.ref: one.sequence for one in self.store.agenda.due("people", NOW, 100)}
        taken = tuple(attrs.evolve(one, sequence=numbers[one.ref]) for one in parked_rows)
        self.store.commit("people", Delta(queue=taken), fence)
        self.store.leases.release(fence)

    def tie(self, left, right):
        fence = self.store.leases.take("people", "me", NOW, dt.timedelta(minutes=5))
        nothing = Agreed.nothing(("phone|phone",))
        ends = RecordRef("crm", "contact", left), RecordRef("mail", "contact", right)
        self.store.commit("people", Delta(links=(Link("link", *ends, nothing, nothing, NOW),)), fence)
        self.store.leases.release(fence)

    def parked(self):
        return parked(self.store, "people")

    def export(self, **how):
        return export(self.parked(), self.path, NAMES, **how)

    def table(self, encoding="utf-8-sig"):
        with self.path.open(encoding=encoding, newline="") as file:
            return list(csv.DictReader(file))

    def give_back(self, *rulings, encoding="utf-8-sig"):
        """Write rulings as a person would, in a spreadsheet: by id."""
        lines = self.table()
        for line in lines:
            line["ruling"] = dict(rulings).get(line["id"], "")
        with self.path.open("w", encoding=encoding, newline="") as file:
            writer = csv.DictWriter(file, lines[0].keys())
            writer.writeheader()
            writer.writerows(lines)

    def rule(self, names=NAMES, **how):
        return rule(self.store, "people", self.path, names, by="sei", now=NOW, **how)


@pytest.fixture(params=["memory", "sqlite"])
def desk(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "state.db")
    yield Desk(store, tmp_path)
    store.close()


def test_parked_records_are_listed_and_explained_in_both_languages(desk):
    desk.park(row("c1"), row("c2", "quarantined", because(Code.TOO_LONG, field="phone", length=31, limit=20)))
    first, second = desk.parked()
    assert first.explain() == "crm contact c1: disputed - Both systems changed phone; a person must choose."
    assert second.explain("ja").startswith("crm contact c2: ")
    assert "31文字" in second.explain("ja")
    assert [one.row.ref.id for one in parked(desk.store, "people", "quarantined")] == ["c2"]
    assert Parked(QueueRow("left", RecordRef("crm", "contact", "c3"), "held")).explain() == "crm contact c3: held"


def test_a_table_says_what_a_person_needs_and_excel_opens_it(desk):
    until = NOW + dt.timedelta(hours=1)
    desk.park(
        row("c1"),
        row("m7", "held", because(Code.NOT_DUE), side="right", system="mail", until=until),
        row("c2", why=because(Code.SEVERAL_MATCH, system="mail", found=2)),
    )
    assert desk.export() == Exported(3)
    assert desk.path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in desk.path.read_bytes()
    lines = {line["id"]: line for line in desk.table()}
    assert {name: lines["c1"][name] for name in ("state", "system", "kind", "code", "field", "choices", "ruling")} == {
        "state": "disputed",
        "system": "crm",
        "kind": "contact",
        "code": "both_changed",
        "field": "phone",
        "choices": "crm / mail / leave",
        "ruling": "",
    }
    assert lines["c2"]["choices"] == "adopt ID"
    assert (lines["m7"]["choices"], lines["m7"]["due"]) == ("", "2026-01-05T13:00+00:00")
    assert not list(desk.folder.glob(".*.draft"))


def test_parked_records_are_put_together_by_their_trouble_the_largest_group_first():
    tried = because(Code.REFUSED_BY_SYSTEM, system="crm", field="phone")
    by_mail = because(Code.REFUSED_BY_SYSTEM, system="mail", field="phone")
    fax = because(Code.REFUSED_BY_SYSTEM, system="crm", field="fax")
    rows = [
        row("c1"),
        row("c2", "quarantined", tried),
        row("c3", "quarantined", tried),
        row("c4", "quarantined", by_mail),
        row("c5", "quarantined", fax),
        row("c6", "disputed", tried),
        QueueRow("left", RecordRef("crm", "contact", "c7"), "held"),
    ]
    groups = grouped(list(map(Parked, rows)))
    assert [[one.row.ref.id for one in group.records] for group in groups] == [
        ["c2", "c3"],
        ["c1"],
        ["c4"],
        ["c5"],
        ["c6"],
        ["c7"],
    ]
    assert (groups[0].code, groups[-1].code) == (Code.REFUSED_BY_SYSTEM, None)
    assert groups[1].explain() == "1 disputed - Both systems changed phone; a person must choose."
    assert groups[-1].explain() == "1 held"


def test_a_table_tells_tries_and_nothing_where_nobody_said_why(desk):
    desk.park(attrs.evolve(row("c1", "held", tries=3), because=None), row("c2", why=because(Code.NOT_DUE)))
    desk.export()
    first, second = desk.table()
    assert (first["tries"], first["code"], first["field"], first["reason"], first["due"]) == ("3", "", "", "", "")
    assert (second["tries"], second["field"]) == ("0", "")
    assert second["reason"]


def test_values_of_records_stand_nowhere_in_a_table(tmp_path):
    crm = FakeConnector("crm", described("contact", FieldSpec("email"), FieldSpec("phone", max_length=3)))
    store = MemoryStore()
    pipeline = (
        one_way(
            "people", at(rows([{"id": 1, "email": SECRET, "phone": "070-0000"}], id="id"), "row"), at(crm, "contact")
        )
        .match(level("email", key("email", "email")))
        .fields(pair("email", "email"), pair("phone", "phone"))
        .remember(store)
    )
    pipeline.run()
    path = tmp_path / "parked.csv"
    assert export(parked(store, "people"), path, Names("rows", "crm")).rows == 1
    text = path.read_text("utf-8-sig")
    assert '"too_long","phone"' in text
    assert SECRET not in text
    assert "070" not in text


@pytest.mark.parametrize(
    "id",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",
        "＋1",
        "－1",
        "＠1",
        "−1",
        "﹦1",
        "⩵1",
        " =1",
        "\u200b=1",
    ],
)
def test_no_cell_acts_as_a_formula(desk, id):
    desk.park(row(id))
    desk.export()
    [line] = desk.table()
    assert line["id"].startswith("'")
    desk.give_back((line["id"], "crm"))
    assert desk.rule() == Ruled(1)


@given(st.text(max_size=8), st.sampled_from(["\ufffd", "〓"]))
def test_a_cell_begins_with_no_sign_of_arithmetic_and_stays_on_its_line(text, lacking):
    told = _cell(text, lacking)
    assert not told.lstrip().startswith(tuple("=+-@＝＋－＠−"))
    assert len(told.splitlines()) <= 1
    assert not {unicodedata.category(sign) for sign in told} & {"Cc", "Cs", "Zl", "Zp"}
    assert told.removeprefix("'" * (len(told) - len(text))) == "".join(
        sign if sign in told else lacking for sign in text
    )


IDS = (
    "山田　太郎",
    "株式会社\u00a0楓",
    "👨\u200d👩\u200d👧",
    "क्\u200dष",
    "髙\ue000",
    "שלום\u200f",
    "a\u3000\u2003b",
    "辻\U000e0100",
)


@pytest.mark.parametrize("id", IDS)
def test_an_id_stands_in_the_table_as_it_is_and_its_ruling_comes_back(desk, id):
    desk.park(row(id, why=because(Code.SEVERAL_MATCH, system="mail", found=2)))
    desk.export(language="ja")
    assert [line["id"] for line in desk.table()] == [id]
    desk.give_back((id, f"adopt　{id}"))
    assert desk.rule() == Ruled(1)
    ref = RecordRef("crm", "contact", id)
    assert desk.store.rulings.of("people", [ref])[ref].choice == id


@pytest.mark.parametrize(
    "sign", ["\0", "\t", "\r", "\n", "\x1b", "\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\udc80"]
)
def test_a_sign_that_breaks_a_row_or_turns_the_text_around_is_replaced(desk, sign):
    desk.park(row(f"1{sign}7"))
    assert desk.export() == desk.export(encoding="cp932") == Exported(1)
    assert [line["id"] for line in desk.table("cp932")] == ["1〓7"]
    desk.export()
    assert [line["id"] for line in desk.table()] == ["1\ufffd7"]


def test_a_wide_blank_stands_in_cp932_as_it_is_and_what_it_lacks_is_named_by_its_own_code_point(desk):
    desk.park(row("山田　太郎"), row("楓\u00a0\u200d"))
    told = desk.export(encoding="cp932", language="ja")
    assert [line["id"] for line in desk.table("cp932")] == ["山田　太郎", "楓 〓"]
    assert told.unheld == (Unheld(3, "id", "U+00A0", " "), Unheld(3, "id", "U+200D", "〓"))


def test_what_cp932_cannot_hold_is_replaced_and_told_by_its_place(desk):
    desk.park(row("髙𠮷〜🍵"), row("plain"))
    told = desk.export(encoding="cp932", language="ja")
    assert [line["id"] for line in desk.table("cp932")] == ["髙吉～〓", "plain"]
    assert told.unheld == (
        Unheld(2, "id", "U+20BB7", "吉"),
        Unheld(2, "id", "U+301C", "～"),
        Unheld(2, "id", "U+1F375", "〓"),
    )


def test_rulings_are_taken_and_the_records_wake(desk):
    desk.park(row("c1"), row("c2"), row("c3"), row("c4", why=because(Code.SEVERAL_MATCH)), row("c5"))
    desk.export()
    desk.give_back(("c1", "crm"), ("c2", "ＭＡＩＬ "), ("c3", "Leave"), ("c4", "adopt 003xx"))
    assert desk.rule() == Ruled(4)
    refs = [RecordRef("crm", "contact", f"c{number}") for number in range(1, 6)]
    taken = desk.store.rulings.of("people", refs)
    assert {ref.id: (one.choice, one.by, one.at) for ref, one in taken.items()} == {
        "c1": ("left", "sei", NOW),
        "c2": ("right", "sei", NOW),
        "c3": ("leave", "sei", NOW),
        "c4": ("003xx", "sei", NOW),
    }
    assert [one.row.ref.id for one in desk.parked()] == ["c5"]


def test_a_ruling_on_a_record_that_moved_on_is_not_taken_so_a_file_may_be_taken_twice(desk):
    desk.park(row("c1"), row("c2"))
    desk.export()
    desk.give_back(("c1", "crm"), ("c2", "mail"))
    assert desk.rule() == Ruled(2)
    assert desk.rule() == Ruled(0, (NotTaken(2, "moved_on"), NotTaken(3, "moved_on")))
    desk.park(row("c1", why=because(Code.GONE_AND_CHANGED)))
    assert desk.rule().not_taken[0] == NotTaken(2, "moved_on"), "it is parked again, for another reason"
    [again] = desk.parked()
    assert again.ruling is not None


def test_what_is_no_ruling_is_told_by_its_line_and_the_others_are_taken(desk):
    desk.park(row("c1"), row("c2", "held"), row("c3"), row("c4"))
    desk.export()
    desk.give_back(("c1", "somebody"), ("c2", "crm"), ("c3", "adopt "), ("c4", "mail"))
    told = desk.rule()
    assert told == Ruled(1, (NotTaken(2, "not_a_choice"), NotTaken(3, "held"), NotTaken(4, "not_a_choice")))


@pytest.mark.parametrize(
    ("state", "code", "linked", "words"),
    [
        ("disputed", Code.BOTH_CHANGED, True, ("crm", "mail", "leave")),
        ("disputed", Code.GONE_AND_CHANGED, True, ("crm", "mail", "leave")),
        ("disputed", Code.SEVERAL_MATCH, False, ("adopt ID",)),
        ("disputed", Code.ALREADY_LINKED, False, ()),
        ("quarantined", Code.TOO_LONG, True, ("mail", "leave")),
        ("quarantined", Code.TOO_LONG, False, ("leave",)),
        ("quarantined", Code.REFUSED_BY_SYSTEM, True, ()),
        ("quarantined", Code.IN_DOUBT, False, ()),
        ("quarantined", Code.PARENT_FAILED, True, ()),
        ("held", Code.PARENT_MISSING, True, ()),
        ("held", Code.TOO_LONG, True, ()),
    ],
)
def test_only_what_ends_a_trouble_may_be_ruled(desk, state, code, linked, words):
    one = Parked(row("c1", state, because(code, system="mail", field="phone")), linked=linked)
    assert one.choices(NAMES) == words
    assert one.rulable == bool(words)


def test_of_a_record_parked_without_a_reason_nothing_can_be_ruled():
    assert Parked(attrs.evolve(row("c1"), because=None), linked=True).words(NAMES) == ()


def test_a_parked_record_knows_whether_it_is_linked_on_whichever_side_it_is(desk):
    desk.tie("c1", "m1")
    desk.park(row("c1"), row("c2"), row("m1", side="right", system="mail"), row("m2", side="right", system="mail"))
    assert {one.row.ref.id: one.linked for one in desk.parked()} == {"c1": True, "c2": False, "m1": True, "m2": False}
    assert not Parked(row("c1")).linked


def test_a_ruling_that_would_do_nothing_is_not_taken(desk):
    refused = because(Code.TOO_LONG, system="mail", field="phone")
    desk.park(
        row("c1", "quarantined", refused),
        row("c2", "quarantined", because(Code.IN_DOUBT, system="mail")),
        row("c3", why=because(Code.SEVERAL_MATCH)),
        row("c4", "quarantined", refused),
    )
    desk.export()
    desk.give_back(("c1", "crm"), ("c2", "leave"), ("c3", "leave"), ("c4", "leave"))
    told = (NotTaken(2, "not_a_choice"), NotTaken(3, "no_choice"), NotTaken(4, "not_a_choice"))
    assert desk.rule() == Ruled(1, told)


def test_two_rulings_on_one_record_are_one_too_many(desk):
    desk.park(row("c1"))
    desk.export()
    [record] = desk.parked()
    desk.path.write_text(f"key,ruling\n{record.key},crm\n{record.key},mail\n\n{record.key},\n", "utf-8")
    assert desk.rule() == Ruled(1, (NotTaken(3, "twice"),))
    assert desk.store.rulings.of("people", [record.row.ref])[record.row.ref].choice == "left"


def test_a_spreadsheet_may_save_the_file_in_the_encoding_of_windows(desk):
    desk.park(row("名"))
    desk.export(language="ja")
    desk.give_back(("名", "crm"), encoding="cp932")
    assert desk.rule() == Ruled(1)


def test_a_file_whose_encoding_cannot_be_told_is_taken_in_the_one_that_is_named(desk):
    desk.park(row("c1"))
    [record] = desk.parked()
    desk.path.write_bytes(f"key,ruling,remark\n{record.key},crm,ﾄﾞ様\n".encode("cp932"))
    with pytest.raises(ContractBroken, match='say encoding="cp932"'):
        desk.rule()
    assert desk.rule(encoding="cp932") == Ruled(1)


def test_two_systems_of_one_name_are_ruled_upon_by_side(desk):
    desk.park(row("c1"))
    [record] = desk.parked()
    twins = Names("crm", "CRM")
    assert record.choices(Names("crm", "crm")) == ("left", "right", "leave")
    desk.path.write_text(f"key,ruling\n{record.key},crm\n", "utf-8")
    assert desk.rule(twins).not_taken == (NotTaken(2, "not_a_choice"),)
    desk.path.write_text(f"key,ruling\n{record.key},right\n", "utf-8")
    assert desk.rule(twins) == Ruled(1)


@pytest.mark.parametrize("names", [Names("mail", "crm"), Names("left", "right"), Names("CRM org", "MA")])
@pytest.mark.parametrize(("side", "system"), [("left", "crm"), ("right", "mail")])
def test_names_that_the_parked_records_belie_are_refused_and_nothing_is_taken(desk, names, side, system):
    desk.park(row("1", side=side, system=system))
    [record] = desk.parked()
    desk.path.write_text(f"key,ruling\n{record.key},crm\n", "utf-8")
    told = f"of the {side} is of '{system}'.* give pipeline.names"
    with pytest.raises(UsageError, match=told):
        desk.rule(names)
    assert desk.parked() == [record]
    with pytest.raises(UsageError, match=told):
        export(desk.parked(), desk.folder / "new.csv", names)
    assert not list(desk.folder.glob("*new.csv*"))


def test_an_id_is_adopted_alone_as_with_the_word_before_it_and_never_for_a_value(desk):
    several = because(Code.SEVERAL_MATCH)
    desk.park(row("c1", why=several), row("c2", why=several), row("c3", why=several), row("c4"), row("c5", why=several))
    desk.export()
    desk.give_back(("c1", " 003xx "), ("c2", "Adopt 004xx"), ("c3", "adopt"), ("c4", "005xx"), ("c5", "crm"))
    assert desk.rule() == Ruled(2, tuple(NotTaken(line, "not_a_choice") for line in (4, 5, 6)))
    taken = desk.store.rulings.of("people", [RecordRef("crm", "contact", f"c{number}") for number in range(1, 6)])
    assert [(ref.id, one.choice) for ref, one in taken.items()] == [("c1", "003xx"), ("c2", "004xx")]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("key,id\nk1,c1\n", UsageError),
        ("id,ruling\nc1,crm\n", ContractBroken),
        ("key,ruling\nk1,crm,x\n", ContractBroken),
        ('key,ruling\nk1,"crm\n', ContractBroken),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_nothing_of_it_is_taken(desk, content, error):
    desk.park(row("c1"))
    [record] = desk.parked()
    desk.path.write_text(content.replace("key,ruling\n", f"key,ruling\n{record.key},crm\n"), "utf-8")
    with pytest.raises(error, match=r"parked\.csv"):
        desk.rule()
    assert desk.parked() == [record]


def test_a_ruling_says_by_whom_it_is_and_a_file_is_in_a_known_encoding(desk):
    with pytest.raises(UsageError, match="by whom"):
        rule(desk.store, "people", desk.path, NAMES, by=" ", now=NOW)
    with pytest.raises(UsageError, match="latin-1"):
        desk.export(encoding="latin-1")
    assert not desk.path.exists()


def test_an_export_that_fails_leaves_the_old_file_as_it_was(desk):
    desk.park(row("c1"))
    desk.path.write_text("old", "utf-8")
    with pytest.raises(UsageError):
        desk.export(language="fr")
    assert desk.path.read_text("utf-8") == "old"
    assert not list(desk.folder.glob(".*.draft"))


def test_an_export_that_cannot_be_written_names_the_file_that_was_asked_for(desk):
    desk.park(row("c1"))
    desk.path.mkdir()
    with pytest.raises(OSError, match="parked") as refused:
        desk.export()
    assert refused.value.filename == str(desk.path)
    assert not list(desk.folder.glob(".*.draft"))


def test_a_link_that_lies_where_the_draft_will_be_is_not_followed(desk):
    desk.park(row("c1"))
    (desk.folder / "other.txt").write_text("kept", "utf-8")
    (desk.folder / ".parked.csv.draft").symlink_to(desk.folder / "other.txt")
    assert desk.export() == Exported(1)
    assert (desk.folder / "other.txt").read_text("utf-8") == "kept"
    assert not desk.path.is_symlink()


def test_a_key_is_no_number_for_a_spreadsheet_and_changes_when_the_record_is_parked_again():
    one, later, other = (Parked(row(id, sequence=number)).key for id, number in (("c1", 1), ("c1", 2), ("c2", 1)))
    assert len({one, later, other}) == 3
    assert one.startswith("k")
    assert not Parked(row("c1", "held")).rulable
