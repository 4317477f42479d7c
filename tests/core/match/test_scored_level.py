"""A scored level proposes only what is clearly the best, after every level of equal keys, and explains itself."""

import pytest

from crmbridge import at, key, level, pair, two_way
from crmbridge.errors import UsageError
from crmbridge.japanese import address_key, company_key, phone_key, postal_key
from crmbridge.match import LevelMatcher, explain, scored, weigh
from crmbridge.model import Disposition, FieldSpec, Record, Rows
from crmbridge.policies import left_wins
from crmbridge.reasons import Code
from crmbridge.stores import MemoryStore
from crmbridge.testing.connector import FakeConnector, described
from crmbridge.testing.sim import ManualClock, SimDriver

ALIKE = scored(
    "alike",
    weigh(key("name", "Name", company_key), 2.0),
    weigh(key("address", "Address", address_key)),
    blocks=(key("zip", "Zip", postal_key),),
    at_least=0.7,
)
FIELDS = ("name", "address", "zip", "phone")


@pytest.fixture
def world():
    clock = ManualClock()
    ma = FakeConnector("ma", described("company", *map(FieldSpec, FIELDS)), now=clock.now)
    crm = FakeConnector("crm", described("account", *(FieldSpec(name.title()) for name in FIELDS)), now=clock.now)
    pipeline = (
        two_way("companies", at(ma, "company"), at(crm, "account"))
        .match(level("phone", key("phone", "Phone", phone_key)), ALIKE)
        .creates(left=False, right=True)
        .fields(pair("name", "Name"), pair("address", "Address"), pair("zip", "Zip"), policy=left_wins)
        .remember(MemoryStore())
        .using(SimDriver(clock=clock))
    )
    return ma, crm, pipeline


def test_the_best_of_a_block_is_taken_where_it_is_clearly_the_best(world):
    ma, crm, pipeline = world
    ma.put("company", name="株式会社かえで製作所", address="札幌市北区北7条西1-1", zip="060-0807")
    right = crm.put("account", Name="(株)かえで製作所", Address="札幌市北区北七条西１丁目１", Zip="0600807")
    crm.put("account", Name="さくら商店", Address="札幌市北区北7条西9-9", Zip="0600807")
    report = pipeline.run()
    assert report.counts[Disposition.APPLIED] == 2
    assert crm.values(right)["Name"] == "株式会社かえで製作所"
    assert len(crm.rows("account")) == 2


def test_two_that_come_close_are_a_persons_to_choose(world):
    ma, crm, pipeline = world
    ma.put("company", name="株式会社かえで", address="札幌市北区北7条西1-1", zip="060-0807")
    for _ in range(2):
        crm.put("account", Name="かえで", Address="札幌市北区北7条西1-1", Zip="0600807")
    [disputed] = [row for row in pipeline.run().rows(Disposition.DISPUTED) if row.side == "left"]
    assert disputed.because.code is Code.SEVERAL_MATCH


def test_sharing_a_block_makes_no_twins(world):
    ma, crm, pipeline = world
    ma.put("company", name="かえで", address="北7条西1-1", zip="060-0807")
    ma.put("company", name="さくら", address="北8条西2-2", zip="060-0807")
    assert pipeline.run().counts[Disposition.APPLIED] == 2
    assert len(crm.rows("account")) == 2


def by_last_sign(one, other):
    """Grade by a digit, so that a test says how alike two names are."""
    return int(other[-1]) / 8


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (["a7", "b7"], ["a7", "b7"]),
        (["a7", "b6"], ["a7"]),  # as far away as the margin is clearly worse
        (["a4"], ["a4"]),
        (["a3"], []),
        (["a4", "b3"], ["a4"]),
    ],
)
def test_what_is_kept_reaches_the_least_score_and_comes_closer_to_the_best_than_the_margin(names, kept):
    graded = scored(
        "alike", weigh(key("name", "Name"), grade=by_last_sign), blocks=(key("zip", "Zip"),), at_least=0.5, margin=0.125
    )
    mine = Record(Rows("ma", "company", ("name",), ("1",), (("x",),)), 0)
    found = [Record(Rows("crm", "account", ("Name",), (name,), ((name,),)), 0) for name in names]
    assert [one.ref.id for one in graded.keep(mine, found, "right")] == kept


@pytest.mark.parametrize(
    ("names", "kept"), [(["a7"], ["a7"]), (["a7", "b6"], ["a7"]), (["a7", "b6", "c7"], ["a7", "c7"]), (["a3"], [])]
)
def test_with_no_margin_the_best_is_kept_and_only_what_is_as_good_is_kept_beside_it(names, kept):
    graded = scored(
        "alike", weigh(key("name", "Name"), grade=by_last_sign), blocks=(key("zip", "Zip"),), at_least=0.5, margin=0
    )
    mine = Record(Rows("ma", "company", ("name",), ("1",), (("x",),)), 0)
    found = [Record(Rows("crm", "account", ("Name",), (name,), ((name,),)), 0) for name in names]
    assert [one.ref.id for one in graded.keep(mine, found, "right")] == kept


def test_a_level_of_close_seconds_keeps_only_those_that_reach_the_least_score():
    graded = scored(
        "alike", weigh(key("name", "Name"), grade=by_last_sign), blocks=(key("zip", "Zip"),), at_least=0.5, margin=0.5
    )
    mine = Record(Rows("ma", "company", ("name",), ("1",), (("x",),)), 0)
    found = [Record(Rows("crm", "account", ("Name",), (name,), ((name,),)), 0) for name in ("a5", "b3")]
    assert [one.ref.id for one in graded.keep(mine, found, "right")] == ["a5"]


def test_a_scored_level_that_is_not_the_last_is_refused(world):
    _, _, pipeline = world
    with pytest.raises(UsageError, match="may only come last"):
        pipeline.match(ALIKE, level("phone", key("phone", "Phone", phone_key)))


@pytest.mark.parametrize(("language", "said"), [("en", "phone=Phone differ"), ("ja", "phone=Phone が異なります")])
def test_a_match_is_explained_by_level_without_a_value(world, language, said):
    ma, crm, _ = world
    one = ma.record(ma.put("company", name="かえで", address="北7条西1-1", zip="0600807", phone="011-555-0100"))
    two = crm.record(crm.put("account", Name="カエデ", Address="北七条西1丁目1", Zip="0600807", Phone="011-555-0199"))
    lines = explain(
        LevelMatcher((level("phone", key("phone", "Phone", phone_key)), ALIKE)), one, two, language=language
    )
    assert any(said in line for line in lines)
    assert "0100" not in "".join(lines)
    assert "かえで" not in "".join(lines)
