"""Settings are loaded strictly, every mistake is told at once and by its path, and no value is ever repeated."""

import datetime as dt
import enum
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.blueprints import account_engagement_salesforce as blueprint
from crmbridge.blueprints import kengaku_digima
from crmbridge.credentials import Secret
from crmbridge.errors import SettingsError, UsageError
from crmbridge.settings import called, load

PERSONAL = "kim@example.test"


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Inner:
    host: str
    port: int = attrs.field(default=443, validator=attrs.validators.in_([443, 8443]))


@attrs.frozen
class Everything:
    master: Literal["left", "right"] = attrs.field(default="left", metadata=called("マスタ"))
    level: Literal[1, 2] = 1
    colour: Colour = Colour.RED
    masters: Mapping[str, Literal["left", "right"]] = attrs.field(factory=dict)
    without: frozenset[str] = frozenset()
    order: tuple[int, ...] = ()
    pair: tuple[str, int] = ("a", 1)
    names: list[str] = attrs.field(factory=list)
    note: str | None = None
    inner: Inner | None = None
    inners: Mapping[str, Inner] = attrs.field(factory=dict)
    wait: dt.timedelta = dt.timedelta(0)
    share: float = 0.1
    price: Decimal = Decimal(0)
    since: dt.date | None = None
    at: dt.datetime | None = None
    folder: Path | None = None
    on: bool = False
    token: Secret | None = None


@attrs.frozen
class Needy:
    url: str
    token: Secret = attrs.field(metadata=called("トークン"))


def mistakes(told, settings=Everything, **how):
    with pytest.raises(SettingsError) as wrong:
        load(settings, told, **how)
    assert PERSONAL not in str(wrong.value)
    head, *lines = str(wrong.value).split("\n  ")
    assert head == f"{settings.__name__}:"
    return lines


def test_the_blueprints_settings_come_from_toml(tmp_path):
    path = tmp_path / "people.toml"
    path.write_text(
        'master = "account_engagement"\nwithout = ["fax"]\nmost_deletes = 1\n[masters]\nemail = "salesforce"\n'
    )
    assert load(blueprint.Settings, path) == blueprint.Settings(
        master="account_engagement", without=frozenset({"fax"}), most_deletes=1.0, masters={"email": "salesforce"}
    )


def test_all_mistakes_of_the_blueprints_settings_are_told_at_once():
    told = {"mastr": 1, "masters": {"email": PERSONAL}, "without": ["fax", 3], "most_deletes": PERSONAL, "score": 4}
    assert mistakes(told, blueprint.Settings) == [
        "mastr: no such setting; did you mean 'master'?",
        "masters.email: a text, where one of salesforce, account_engagement, most_recently_updated is expected",
        "without[1]: a whole number, where a text is expected",
        "most_deletes: a text, where a number is expected",
        "score: a whole number, where a text is expected",
    ]


def test_a_rule_of_the_class_itself_is_told_in_its_own_words():
    [line] = mistakes({"masters": {"nope": "salesforce"}}, blueprint.Settings)
    assert line.startswith("masters: 'nope' is not in the default mapping")


@pytest.mark.parametrize("settings", [blueprint.Settings, kengaku_digima.Settings, Everything])
def test_an_empty_text_is_none_wherever_a_setting_may_be_none(tmp_path, settings):
    attrs.resolve_types(settings)
    names = [field.name for field in attrs.fields(settings) if type(None) in get_args(field.type)]
    path = tmp_path / "none.toml"
    path.write_text("".join(f'{name} = ""\n' for name in names))
    loaded = load(settings, path)
    assert [getattr(loaded, name) for name in names] == [None] * len(names)
    assert loaded == settings(**dict.fromkeys(names))


def test_an_empty_text_stays_one_where_a_setting_is_a_text_and_nothing_else():
    assert load(kengaku_digima.Settings, {"failure_sender": ""}) == kengaku_digima.Settings()
    assert load(Needy, {"url": "", "token": "T"}, secrets={"T": "t"}.get).url == ""


def test_a_file_switches_the_score_off(tmp_path):
    (tmp_path / "people.toml").write_text('score = ""\n')
    (tmp_path / "people.json").write_text('{"score": null}')
    off = blueprint.Settings(score=None)
    assert load(blueprint.Settings, tmp_path / "people.toml") == off == load(
        blueprint.Settings, tmp_path / "people.json"
    )  # fmt: skip


@pytest.mark.parametrize("wrong", [-1, -0.1, float("nan"), float("inf")])
def test_a_share_of_deletions_that_is_none_is_refused_where_it_is_said(wrong):
    with pytest.raises(SettingsError, match="most_deletes"):
        blueprint.Settings(most_deletes=wrong)
    [line] = mistakes({"most_deletes": wrong}, blueprint.Settings)
    assert line.startswith("most_deletes: ")


def test_every_sort_of_setting_is_read(tmp_path):
    path = tmp_path / "all.toml"
    path.write_text(
        """\ufeff
"マスタ" = "right"
colour = "blue"
without = ["a", "b", "a"]
order = [2, 1]
pair = ["b", 2]
names = ["x"]
note = "清"
wait = "1h30m"
share = 1
price = "0.10"
since = 2026-01-05
at = 2026-01-05T12:00:00+09:00
folder = "in"
on = true
token = "SF_TOKEN"
[masters]
email = "left"
[inner]
host = "a.test"
[inners."支店"]
host = "b.test"
port = 8443
""",
        "utf-8",
    )
    tokyo = dt.timezone(dt.timedelta(hours=9))
    assert load(Everything, path, secrets={"SF_TOKEN": "s3cret"}.get) == Everything(
        master="right",
        colour=Colour.BLUE,
        masters={"email": "left"},
        without=frozenset({"a", "b"}),
        order=(2, 1),
        pair=("b", 2),
        names=["x"],
        note="清",
        inner=Inner("a.test"),
        inners={"支店": Inner("b.test", 8443)},
        wait=dt.timedelta(minutes=90),
        share=1.0,
        price=Decimal("0.10"),
        since=dt.date(2026, 1, 5),
        at=dt.datetime(2026, 1, 5, 12, tzinfo=tokyo),
        folder=Path("in"),
        on=True,
        token=Secret("s3cret"),
    )


def test_json_says_the_same_as_toml(tmp_path):
    path = tmp_path / "all.JSON"
    path.write_text(json.dumps({"since": "2026-01-05", "at": "2026-01-05T00:00:00Z", "note": None, "wait": 1.5}))
    assert load(Everything, path) == Everything(
        since=dt.date(2026, 1, 5), at=dt.datetime(2026, 1, 5, tzinfo=dt.UTC), wait=dt.timedelta(seconds=1.5)
    )


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"master": PERSONAL}, "master: a text, where one of left, right is expected"),
        ({"マスタ": 1}, "マスタ: a whole number, where one of left, right is expected"),
        ({"level": True}, "level: true or false, where one of 1, 2 is expected"),
        ({"colour": PERSONAL}, "colour: a text, where one of red, blue is expected"),
        ({"masters": PERSONAL}, "masters: a text, where a table is expected"),
        ({"without": PERSONAL}, "without: a text, where a list is expected"),
        ({"order": [1, True]}, "order[1]: true or false, where a whole number is expected"),
        ({"order": [1.0]}, "order[0]: a number, where a whole number is expected"),
        ({"pair": ["a"]}, "pair: a list of 1, where one of 2 is expected"),
        ({"pair": ["a", PERSONAL]}, "pair[1]: a text, where a whole number is expected"),
        ({"names": {"a": 1}}, "names: a table, where a list is expected"),
        ({"note": ["a"]}, "note: a list, where a text is expected"),
        ({"inner": {"port": 8443}}, "inner.host: is missing"),
        ({"inner": PERSONAL}, "inner: a text, where a table is expected"),
        ({"inners": {"a": {"host": 1}}}, "inners.a.host: a whole number, where a text is expected"),
        ({"inners": {"a": {"hots": 1, "host": "h"}}}, "inners.a.hots: no such setting; did you mean 'host'?"),
        ({"inner": {"host": "a", "port": 7}}, "inner.port: a value that the rule of this setting refuses"),
        ({"wait": "soon"}, 'wait: a text, where a duration (seconds, or a text such as "10m" or "1h30m") is expected'),
        ({"share": True}, "share: true or false, where a number is expected"),
        ({"share": float("nan")}, "share: infinity or what is no number, where a number is expected"),
        ({"price": PERSONAL}, "price: a text, where a number is expected"),
        ({"price": "１２"}, "price: a text, where a number is expected"),
        ({"price": "1_0"}, "price: a text, where a number is expected"),
        ({"price": " 1 "}, "price: a text, where a number is expected"),
        ({"price": "1e999999999"}, "price: a text, where a number is expected"),
        ({"price": "NaN"}, "price: a text, where a number is expected"),
        ({"since": PERSONAL}, "since: a text, where a date is expected"),
        ({"at": dt.datetime(2026, 1, 5)}, "at: an instant, where an instant with a zone is expected"),
        ({"on": 1}, "on: a whole number, where true or false is expected"),
        ({"on": "true"}, "on: a text, where true or false is expected"),
        ({"folder": b"x"}, "folder: a value of type bytes, where a path is expected"),
        ({PERSONAL[:3]: 1}, "kim: no such setting; there are: master, level, colour"),
        ({"master": "left", "マスタ": "left"}, "マスタ: is given twice, by its name and by the words of the screen"),
        ({"マスター": "left"}, "マスター: no such setting; did you mean 'マスタ'?"),
    ],
)
def test_a_mistake_is_told_by_path_and_sort_and_never_by_value(told, said):
    [line] = mistakes(told)
    assert line.startswith(said)


def test_a_name_that_is_no_name_is_not_told_whole():
    [line] = mistakes({"x" * 100 + "\n": 1})
    assert line.startswith("x" * 60 + "…: no such setting")


def test_what_must_be_there_is_missed_in_the_words_of_the_screen():
    assert mistakes({}, Needy) == ["url: is missing", "トークン: is missing"]


def test_a_file_holds_the_name_of_a_secret_and_never_the_secret():
    told = {"url": "u", "token": "SF_TOKEN"}
    loaded = load(Needy, told, secrets={"SF_TOKEN": "s3cret"}.get)
    assert loaded.token.reveal() == "s3cret"
    assert "s3cret" not in repr(loaded)
    [unknown] = mistakes({"url": "u", "token": PERSONAL}, Needy, secrets={}.get)
    assert unknown == (
        "token: no secret goes by the name that stands here; a file holds the name of a secret, never the secret"
    )
    [alone] = mistakes(told, Needy)
    assert alone.startswith("token: nobody was given to look it up")
    assert mistakes({"url": "u", "token": 7}, Needy) == [
        "token: a whole number, where the name of a secret is expected"
    ]
    assert mistakes(told, Needy, secrets={"SF_TOKEN": ""}.get)[0].startswith("token: no secret goes by")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400), ("1d2h3m4s", 93784), ("0s", 0)]
)
def test_a_duration_is_told_as_people_tell_it(text, seconds):
    assert load(Everything, {"wait": text}).wait == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "wrong", ["", "10", "m", "1m1h", "-1m", "１m", "1.5h", -1, True, 1e300, float("inf"), "9" * 30 + "d"]
)
def test_what_is_no_duration_is_refused(wrong):
    [line] = mistakes({"wait": wrong})
    assert "where a duration" in line


@given(st.integers(0, 10**6))
def test_a_number_of_seconds_is_a_duration(seconds):
    assert load(Everything, {"wait": seconds}).wait == dt.timedelta(seconds=seconds) == load(
        Everything, {"wait": f"{seconds}s"}
    ).wait  # fmt: skip


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.datetimes() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = [field.name for field in attrs.fields(Everything)]


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), ANYTHING, max_size=6))
def test_whatever_stands_there_is_loaded_or_refused_by_a_settings_error(told):
    try:
        loaded = load(Everything, told)
    except SettingsError as wrong:
        assert str(wrong).count("\n  ") >= 1  # noqa: PT017 - either way is right
    else:
        assert set(told) <= {*NAMES, "マスタ"}
        assert isinstance(loaded, Everything)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.toml", b'a = "' + PERSONAL.encode(), "a.toml: its end is not TOML"),
        ("a.toml", b"a = 1\nb = " + PERSONAL.encode(), "a.toml: line 2, column 5 is not TOML"),
        ("a.toml", b"\nx = \xff" + PERSONAL.encode(), "a.toml: line 2 is not UTF-8"),
        ("a.toml", b"a = " + b"[" * 100_000, "a.toml: is not TOML"),
        ("a.json", b'{"a":\n ' + PERSONAL.encode(), "a.json: line 2, column 2 is not JSON"),
        ("a.json", b'{"on": true, "on": false}', "a.json: is not JSON"),
        ("a.json", b'{"share": NaN}', "a.json: is not JSON"),
        ("a.json", b"[" * 200_000, "a.json: is not JSON"),
        ("a.json", b"[]", "a.json:\n  a list, where a table is expected"),
        ("a.yaml", b"", "a.yaml: settings are in a file that ends in .toml or .json"),
        ("a.toml", b"#" * 2_000_000, "a.toml: is larger than 1,048,576 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_its_place(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsError) as wrong:
        load(Everything, tmp_path / name)
    assert str(wrong.value) == said


def test_a_file_that_is_not_there_is_told_without_its_folder(tmp_path):
    with pytest.raises(SettingsError, match=r"^gone\.toml: cannot be read \(FileNotFoundError\)$"):
        load(Everything, str(tmp_path / "gone.toml"))


@attrs.frozen
class Impossible:
    either: int | str | bytes = 1


def test_a_class_that_no_file_can_fill_is_the_programs_mistake():
    with pytest.raises(UsageError, match="Impossible has a setting of a type that no file can hold"):
        load(Impossible, {"either": 1})


@attrs.frozen
class Raising:
    name: str = "a"

    def __attrs_post_init__(self):
        raise ValueError(PERSONAL)


def test_what_a_class_refuses_in_words_of_its_own_is_not_repeated():
    assert mistakes({"name": "b"}, Raising) == ["a value that the rule of this setting refuses"]


@attrs.frozen
class Ruled:
    workers: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    batch: int = attrs.field(default=10, validator=attrs.validators.le(200), metadata=called("件数"))
    inner: Inner | None = None
    least: int = 0
    most: int = attrs.field(default=9)
    code: str = attrs.field(default="ab", validator=[attrs.validators.min_len(2), attrs.validators.max_len(3)])
    tags: tuple[str, ...] = attrs.field(factory=tuple, converter=attrs.converters.pipe(sorted, tuple))
    way: str = attrs.field(default="in", validator=attrs.validators.optional(attrs.validators.in_(["in", "out"])))

    @most.validator
    def _in_order(self, _attribute, value):
        if value < self.least:
            raise SettingsError("is below least")


REFUSED = "a value that the rule of this setting refuses"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"workers": 0}, [f"workers: {REFUSED}"]),
        ({"件数": 500}, [f"件数: {REFUSED}"]),
        ({"workers": 0, "batch": 500, "wrkers": 1}, [
            "wrkers: no such setting; did you mean 'workers'?", f"workers: {REFUSED}", f"batch: {REFUSED}",
        ]),
        ({"inner": {"host": "h", "port": 1}, "batch": 500}, [f"inner.port: {REFUSED}", f"batch: {REFUSED}"]),
        ({"inner": {"port": 1}, "workers": "two"}, [
            "inner.host: is missing", f"inner.port: {REFUSED}",
            "workers: a text, where a whole number is expected",
        ]),
        ({"code": "a"}, [f"code: {REFUSED}"]),
        ({"code": "abcd", "way": "up"}, [f"code: {REFUSED}", f"way: {REFUSED}"]),
        ({"most": -1, "workers": 0}, [f"workers: {REFUSED}", "most: is below least"]),
        ({"least": 5, "most": 4}, ["most: is below least"]),
        ({"least": "5", "most": -1}, ["least: a text, where a whole number is expected"]),
    ],
)  # fmt: skip
def test_every_rule_of_a_class_is_told_under_the_name_of_its_setting_and_beside_all_others(told, said):
    assert mistakes(told, Ruled) == said


def test_what_no_rule_refuses_is_loaded_with_the_defaults_of_the_rest():
    assert load(Ruled, {"least": 3, "most": 3, "tags": ["b", "a"]}) == Ruled(least=3, most=3, tags=("a", "b"))


@attrs.frozen
class Converted:
    size: str = attrs.field(default="1", converter=int)
    other: str = attrs.field(default="2", converter=attrs.converters.optional(int))
    on: bool = True


def test_what_a_converter_refuses_is_told_under_its_setting():
    assert mistakes({"size": PERSONAL, "other": "x", "on": 1}, Converted) == [
        "on: a whole number, where true or false is expected", f"size: {REFUSED}", f"other: {REFUSED}",
    ]  # fmt: skip


def down(name):
    raise ConnectionError(f"{name}: {PERSONAL}")


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        ({}.__getitem__, "no secret goes by the name that stands here; a file holds the name"),
        (down, "the secret that goes by this name could not be looked up (ConnectionError)"),
        ({"T": 5, "U": 6}.get, "what was looked up is a int, where a text is expected"),
    ],
)
def test_a_look_up_that_fails_is_a_mistake_of_the_setting_and_its_words_are_not_repeated(secrets, said):
    [url, token] = mistakes({"url": 3, "token": "T"}, Needy, secrets=secrets)
    assert url == "url: a whole number, where a text is expected"
    assert token.startswith(f"token: {said}")
    assert PERSONAL not in token
