"""Values that Salesforce would refuse, hostile text, and what is wrong with the set-up: told clearly, nothing lost."""

import json
import sqlite3
import traceback
from contextlib import nullcontext

import httpx
import pytest
from ae_sf_world import AE, SF, Settings, World, counts, on_ports, one, performer
from hypothesis import given, settings
from hypothesis import strategies as st

from crmbridge.drive import Driver
from crmbridge.errors import (
    AdapterError,
    ContractBroken,
    CrmBridgeError,
    NotAllowed,
    OriginRefused,
    PairError,
    StoreTooNew,
    UsageError,
)
from crmbridge.flow import Request, send
from crmbridge.model import Disposition, RecordRef
from crmbridge.pipeline import pair
from crmbridge.policies import left_wins
from crmbridge.reasons import Code
from crmbridge.stores.sqlite import SqliteStore
from crmbridge.testing.fakes.salesforce.org import DuplicateRule
from crmbridge.testing.tables import Field


def put_aside(world):
    """Run, and give the reason for which the only record of the run was put aside."""
    return one(world.run(), Disposition.QUARANTINED).because


def writes_asked_for(fake):
    """Count the requests that would write, whatever came of them."""
    return sum(request.method != "GET" and "oauth2" not in request.url.path for request in fake.requests)


# -- one record's trouble --------------------------------------------------------------


@pytest.mark.requirement("AE-30")
@pytest.mark.parametrize(
    ("address", "shape"), [("taro.@east.example", "dot_before_at"), ("taro@.east.example", "dot_after_at")]
)
def test_a_dot_beside_the_at_sign_is_put_aside_before_salesforce_refuses_it(address, shape, world):
    world.prospect(address, assigned=True)
    world.prospect("hanako@east.example", assigned=True)
    why = put_aside(world)
    assert (why.code, why.facts["field"], why.facts["shape"]) == (Code.NOT_AN_EMAIL, "Email", shape)
    assert [lead["Email"] for lead in world.live("Lead")] == ["hanako@east.example"]
    assert not [request for request in world.sf.requests if address.encode() in request.content]


@pytest.mark.requirement("AE-31")
@pytest.mark.parametrize(
    ("field", "target", "limit"),
    [("lastName", "LastName", 80), ("city", "City", 40), ("comments", "Description", 32000)],
)
def test_a_text_that_is_too_long_for_salesforce_is_put_aside_with_both_lengths(field, target, limit, world):
    world.prospect("fits@east.example", assigned=True, **{field: "あ" * limit})
    world.prospect("long@east.example", assigned=True, **{field: "あ" * (limit + 1)})
    why = put_aside(world)
    assert (why.code, why.facts["field"]) == (Code.TOO_LONG, target)
    assert (why.facts["length"], why.facts["limit"]) == (limit + 1, limit)
    assert [lead["Email"] for lead in world.live("Lead")] == ["fits@east.example"]


@pytest.mark.requirement("AE-33")
@pytest.mark.parametrize(
    ("field", "target", "fits", "long"),
    [
        ("employees", "NumberOfEmployees", "12345678", "123456789"),
        ("annualRevenue", "AnnualRevenue", "1" + "0" * 17, "1" + "0" * 18),
    ],
)
def test_a_number_with_too_many_digits_for_salesforce_is_put_aside(field, target, fits, long, world):
    world.prospect("fits@east.example", assigned=True, **{field: fits})
    world.prospect("long@east.example", assigned=True, **{field: long})
    why = put_aside(world)
    assert (why.code, why.facts["field"]) == (Code.TOO_MANY_DIGITS, target)
    assert [(lead["Email"], int(lead[target])) for lead in world.live("Lead")] == [("fits@east.example", int(fits))]


def test_text_where_salesforce_counts_is_put_aside(world):
    world.prospect("taro@east.example", assigned=True, employees="約百名")
    assert put_aside(world).code is Code.CODEC_FAILED


@pytest.mark.requirement("AE-27")
def test_a_prospect_that_failed_is_left_alone_until_it_is_edited_and_then_synced_again(world):
    prospect, lead = world.linked("taro@east.example")
    world.run()
    world.settings = Settings(master="account_engagement")
    world.ae.edit("prospect", prospect, city="あ" * 41, jobTitle="部長")
    world.run()
    asked = len(world.ours())
    for _ in range(3):
        report = world.run()
    assert len(world.ours()) == asked
    assert world.right(lead)["Title"] is None
    assert set(world.parked().values()) == {"too_long"}
    assert set(counts(report)) <= {"quarantined", "unchanged"}
    world.ae.edit("prospect", prospect, city="千代田区")
    world.run()
    assert (world.right(lead)["City"], world.right(lead)["Title"]) == ("千代田区", "部長")
    world.run()
    assert world.parked() == {}


@pytest.mark.requirement("AE-27")
def test_what_salesforce_refused_is_synced_again_when_a_person_queues_it_again(world):
    world.sf.duplicate_rules.append(DuplicateRule("Lead", ("LastName",)))
    world.lead(None, LastName="山田")
    refused = world.prospect("taro@east.example", assigned=True, lastName="山田")
    world.prospect("hanako@east.example", assigned=True, lastName="鈴木")
    world.run()
    assert world.parked()["prospect", refused] == "refused_by_system"
    world.sf.duplicate_rules.clear()
    asked = writes_asked_for(world.sf)
    for _ in range(3):
        world.run()
    assert writes_asked_for(world.sf) == asked
    assert [lead["Email"] for lead in world.live("Lead")] == [None, "hanako@east.example"]
    world.pipeline().retry([RecordRef("account_engagement", "prospect", refused)])
    assert [lead["Email"] for lead in world.live("Lead")] == [None, "hanako@east.example", "taro@east.example"]
    world.run()
    assert world.parked() == {}


@pytest.mark.requirement("AE-32")
def test_a_form_field_that_was_added_in_account_engagement_needs_its_field_in_salesforce(world):
    world.ae.add_field("question__c", "Text")
    world.rules = lambda pipeline: pipeline.fields(pair("question__c", "Question__c", left_wins))
    prospect, lead = world.linked("taro@east.example")
    world.ae.edit("prospect", prospect, question__c="導入時期は?")
    found = [finding for finding in world.pipeline().check() if finding.fatal]
    assert [finding.where for finding in found] == [f"salesforce.{kind}.Question__c" for kind in ("Contact", "Lead")]
    assert {finding.pair for finding in found} == {"question__c|Question__c"}
    with pytest.raises(PairError, match=r"'Question__c', and salesforce\.Contact has no such field"):
        world.run()
    assert world.ours() == []
    for kind in ("Contact", "Lead"):
        world.sf.add_field(kind, Field("Question__c", length=255))
    world.run()
    assert world.right(lead)["Question__c"] == "導入時期は?"


# -- hostile text ----------------------------------------------------------------------

HOSTILE = {
    "quotes": "O'Brien \"the\" \\ 'x",
    "a query": "x' OR Name != '' --",
    "markup": "<script>alert(1)</script>&amp;",
    "emoji": "👩‍👩‍👧‍👦🇯🇵",
    "rare kanji": "𠮷野家 髙﨑 ①㍻",
    "right to left": "\u202eسلام\u202c",
    "combining": "は\u3099き\u0327",
    "line ends": "一\r\n二\r三\n四\u2028五",
    "a formula": '=HYPERLINK("http://x.example")',
    "json": '{"a": [1, null]}\ud7ff',
    "a million signs, cut to what fits": ("長" * 1_048_576)[:32_000],
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_crosses_both_ways_as_it_is_and_comes_to_rest(text, world_with):
    world = world_with(master="most_recently_updated")
    prospect, lead = world.linked("o'brien@east.example")
    world.run()
    world.ae.edit("prospect", prospect, comments=text)
    world.run()
    assert world.right(lead)["Description"].replace("\r\n", "\n") == text.replace("\r\n", "\n")
    world.sf.edit("Lead", lead, Description=text[::-1] if "\r" not in text else "済")
    world.run()
    assert world.left(prospect)["comments"] == (text[::-1] if "\r" not in text else "済")
    world.run()
    written = len(world.ours())
    world.run()
    assert len(world.ours()) == written
    assert world.parked() == {}


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60)


@settings(max_examples=40)
@given(comments=TEXTS, title=TEXTS)
def test_whatever_salesforce_makes_of_a_text_it_is_not_written_back_over_it(comments, title):
    world = World(settings=Settings(master="most_recently_updated"))
    prospect, lead = world.linked("taro@east.example")
    world.run()
    world.ae.edit("prospect", prospect, comments=comments, jobTitle=title)
    world.run()
    world.run()
    written = len(world.ours())
    world.run()
    assert len(world.ours()) == written
    assert (world.left(prospect)["comments"], world.left(prospect)["jobTitle"]) == (comments, title)
    assert (world.right(lead)["Title"] or "").strip() == title.strip()


@pytest.mark.parametrize("name", ["O'Brien", "x' OR Name != ''", "髙﨑", "🐈", "\u202eسلام", "&lt;b&gt;"])
def test_a_lead_is_made_once_for_a_prospect_with_a_hostile_name(name, world):
    world.prospect("o'brien+x@east.example", assigned=True, lastName=name, company=name)
    world.run()
    world.run()
    assert [(lead["LastName"], lead["Company"]) for lead in world.live("Lead")] == [(name, name)]


def test_a_megabyte_of_comments_is_put_aside_and_nobody_else_waits_for_it(world):
    world.prospect("long@east.example", assigned=True, comments="長" * 1_048_576)
    world.prospect("fits@east.example", assigned=True)
    assert put_aside(world).code is Code.TOO_LONG
    assert [lead["Email"] for lead in world.live("Lead")] == ["fits@east.example"]


def test_a_nul_sign_is_refused_by_name_of_the_system_and_nobody_else_waits_for_it(world_with):
    world = world_with(master="most_recently_updated")
    prospect, lead = world.linked("taro@east.example")
    other, elsewhere = world.linked("hanako@east.example")
    world.run()
    world.sf.edit("Lead", lead, Title="部\0長")
    world.sf.edit("Lead", elsewhere, Title="部長")
    world.run()
    assert world.left(other)["jobTitle"] == "部長"
    assert world.left(prospect)["jobTitle"] is None
    assert "refused_by_system" in world.parked().values()
    world.sf.edit("Lead", lead, Title="部長")
    world.run()
    assert world.left(prospect)["jobTitle"] == "部長"


# -- the set-up ------------------------------------------------------------------------


def told(raised):
    """Give all that a log could show of an error: its words, its parts, and the whole chain of causes."""
    error = raised.value
    return "".join([str(error), repr(error), repr(error.args), *traceback.format_exception(error)])


def holds_no_secret(world, text):
    credentials = [*world.ae.credentials.items(), *world.sf.credentials.items()]
    secrets = [value for name, value in credentials if name in ("client_secret", "password", "token")]
    return not [secret for secret in [*secrets, *world.secrets.values()] if secret in text]


def in_step(world, prospect, lead):
    """Say whether a run now carries the edit that was waiting."""
    world.run(after=900)
    world.run()
    return world.left(prospect)["jobTitle"] == world.right(lead)["Title"] == "部長"


@pytest.fixture
def waiting(world):
    """A linked pair with an edit in Salesforce that no run has seen yet."""
    prospect, lead = world.linked("taro@east.example")
    world.run()
    world.sf.edit("Lead", lead, Title="部長")
    return world, prospect, lead


@pytest.mark.parametrize("system", ["account_engagement", "salesforce"])
@pytest.mark.parametrize("ports", [False, True])
def test_a_wrong_client_secret_is_the_operators_turn_and_is_not_shown(system, ports, caplog, world):
    caplog.set_level("DEBUG")
    prospect, lead = world.linked("taro@east.example", Title="部長")
    world.ae.edit("prospect", prospect, jobTitle=None)
    world.secrets = {system: "canary-of-a-wrong-secret"}
    with on_ports(world) if ports else nullcontext():
        with performer(world, awaited=False) as run, pytest.raises(NotAllowed) as raised:
            run()
        assert raised.value.system == system
        assert holds_no_secret(world, told(raised) + caplog.text)
        assert world.ours() == []
        world.secrets = {}
        with performer(world, awaited=False) as run:
            run()
    assert world.left(prospect)["jobTitle"] == world.right(lead)["Title"] == "部長"


@pytest.mark.parametrize("system", ["account_engagement", "salesforce"])
def test_tokens_that_end_in_the_middle_are_fetched_again_and_nothing_is_lost(system, waiting):
    world, prospect, lead = waiting
    fake = world.ae if system == "account_engagement" else world.sf
    fake.expire_tokens()
    world.run()
    assert world.left(prospect)["jobTitle"] == "部長"
    assert world.right(lead)["Title"] == "部長"


def test_an_unknown_field_in_a_pair_is_refused_with_the_nearest_name(waiting):
    world, prospect, lead = waiting
    world.rules = lambda pipeline: pipeline.fields(pair("noets", "MiddleName", left_wins))
    with pytest.raises(PairError, match="did you mean 'notes'") as raised:
        world.run()
    assert isinstance(raised.value, UsageError)
    world.rules = lambda pipeline: pipeline
    assert in_step(world, prospect, lead)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (pair("notes", "CreatedDate", left_wins), "salesforce.Contact.CreatedDate"),
        (pair("createdAt", "MiddleName", left_wins), "account_engagement.prospect.createdAt"),
    ],
)
def test_a_read_only_field_as_a_target_is_refused_with_the_remedy(wrong, named, waiting):
    world, prospect, lead = waiting
    world.rules = lambda pipeline: pipeline.fields(wrong)
    with pytest.raises(PairError, match="read_only") as raised:
        world.run()
    assert named in str(raised.value)
    assert [found for found in world.pipeline().check() if found.fatal]
    world.rules = lambda pipeline: pipeline
    assert in_step(world, prospect, lead)


def test_a_state_file_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "state.db"
    with SqliteStore(path) as store:
        world = World(store=store)
        prospect, lead = world.linked("taro@east.example")
        world.run()
    world.sf.edit("Lead", lead, Title="部長")
    own = stamped(path, 99)
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="version 99"):
        SqliteStore(path)
    assert path.read_bytes() == before
    stamped(path, own)
    with SqliteStore(path) as store:
        world.store = store
        assert in_step(world, prospect, lead)


def stamped(path, version):
    """Write a schema version into a file, and give the one that it had."""
    connection = sqlite3.connect(path)
    [(own,)] = connection.execute("PRAGMA user_version")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    return own


@pytest.mark.parametrize("way", ["json", "truncated", "empty"])
@pytest.mark.parametrize(
    ("system", "path"),
    [("account_engagement", "/api/v5/objects/prospects"), ("salesforce", "/services/data/v67.0/queryAll")],
)
def test_a_page_of_broken_json_ends_the_run_with_nothing_lost(system, path, way, waiting):
    world, prospect, lead = waiting
    fake = world.ae if system == "account_engagement" else world.sf
    fake.faults.damage(way, to="GET", path=path, times=20)
    world.clock.advance(900)
    with pytest.raises(AdapterError) as raised:
        world.run()
    assert raised.value.system == system
    assert "部長" not in told(raised)
    assert fake.faults.fired["F09"]
    fake.faults.clear()
    assert in_step(world, prospect, lead)


def rewritten(fake, change):
    """Serve a fake whose answers a stranger on the way has changed."""

    def answer(request):
        response = fake.exchange(request)
        if response.status_code == 200 and b"nextRecordsUrl" in response.content:
            body = change(json.loads(response.content))
            return httpx.Response(200, json=body, headers={"Date": response.headers["Date"]})
        return response

    return httpx.MockTransport(answer)


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/services/data/v67.0/query/1", "//evil.example/x", "http://org.example/x"]
)
def test_a_next_page_on_another_host_is_never_asked_for(elsewhere):
    world = World()
    world.sf.page_size = 200
    for number in range(201):
        world.lead(f"p{number}@east.example")
    prospect = world.prospect("p200@east.example", jobTitle="部長")
    asked = []

    def evil(request):
        asked.append(request)
        return httpx.Response(200, json={})

    honest = world.transports[SF]
    world.transports = {
        AE: world.transports[AE],
        SF: rewritten(world.sf, lambda body: body | {"nextRecordsUrl": elsewhere}),
        "https://evil.example": httpx.MockTransport(evil),
        "http://org.example": httpx.MockTransport(evil),
    }
    with pytest.raises((OriginRefused, ContractBroken)) as raised:
        world.run()
    assert asked == []
    assert holds_no_secret(world, told(raised))
    assert world.ours() == []
    world.transports[SF] = honest
    world.run()
    assert [row["Title"] for row in world.live("Lead") if row["Email"] == "p200@east.example"] == ["部長"]
    assert not world.left(prospect)["isDeleted"]


def wrong_secret(world, _path):
    world.secrets = {"salesforce": "canary-of-a-wrong-secret"}
    world.run()


def unknown_field(world, _path):
    world.rules = lambda pipeline: pipeline.fields(pair("noets", "MiddleName", left_wins))
    world.run()


def newer_state(_world, path):
    SqliteStore(path).close()
    stamped(path, 99)
    SqliteStore(path)


def broken_page(world, _path):
    world.sf.faults.damage("empty", to="GET", path="/services/data/v67.0/queryAll", times=20)
    world.run(after=900)


def address_elsewhere(world, _path):
    account = world.pipeline().definition.left.connector.account
    with Driver(world.store, clock=world.clock, transports=world.transports) as driver:
        driver.run(send(Request(account, "GET", "https://evil.example/x")))


@pytest.mark.parametrize(
    ("provoke", "kind"),
    [
        (wrong_secret, NotAllowed),
        (unknown_field, PairError),
        (newer_state, StoreTooNew),
        (broken_page, ContractBroken),
        (address_elsewhere, OriginRefused),
    ],
)
def test_every_error_of_the_set_up_is_one_of_the_librarys_own(provoke, kind, world, tmp_path):
    with pytest.raises(CrmBridgeError) as raised:
        provoke(world, tmp_path / "state.db")
    assert type(raised.value) is kind


def test_what_was_put_aside_is_told_once_for_each_record_and_the_counts_add_up(world):
    world.prospect("a.@east.example", assigned=True)
    world.prospect("b@east.example", assigned=True, city="あ" * 41)
    world.prospect("c@east.example", assigned=True)
    world.prospect("d@east.example")
    report = world.run()
    assert counts(report) == {"applied": 1, "skipped": 1, "quarantined": 2}
    assert report.read == 4
    assert one(report, Disposition.APPLIED).because.code is Code.NEW


def test_an_address_that_a_merge_and_a_conversion_give_to_a_second_prospect_is_not_sent_for_ever(world):
    addresses = ("taro@east.example", "jiro@east.example")
    for address in addresses:
        world.prospect(address, assigned=True)
    world.run()
    first, second = (next(row["Id"] for row in world.live("Lead") if row["Email"] == one) for one in addresses)
    world.run()
    world.sf.merge(second, first)
    world.sf.edit("Lead", second, Email=addresses[0])
    world.sf.convert(second)
    for _ in range(2):
        world.run(after=1500)
    asked = writes_asked_for(world.ae)
    assert asked > 0
    for _ in range(3):
        world.run(after=1500)
    assert writes_asked_for(world.ae) == asked
    assert [write for write in world.ours() if write[:2] == ("account-engagement", "update")] == []
    assert set(world.parked().values()) == {"refused_by_system"}


def test_a_lead_that_takes_in_another_and_is_converted_keeps_its_prospect_and_nobody_is_written_to(world):
    addresses = ("taro@east.example", "jiro@east.example")
    for address in addresses:
        world.prospect(address, assigned=True)
    world.run()
    leads = [next(row["Id"] for row in world.live("Lead") if row["Email"] == one) for one in addresses]
    world.run()
    written = len(world.ours())
    world.sf.merge(leads[1], leads[0])
    world.sf.convert(leads[1])
    for _ in range(3):
        world.run(after=1500)
    assert len(world.ours()) == written
    assert world.parked() == {}


def test_an_update_that_salesforce_refused_is_asked_for_once_however_soon_and_often_a_run_follows(world_with):
    world = world_with(master="most_recently_updated")
    prospect, lead = world.linked("taro@east.example", Title="課長")
    world.run()
    world.run()
    world.sf.duplicate_rules.append(DuplicateRule("Lead", ("LastName",)))
    world.lead("jiro@south.example", LastName="高橋")
    world.ae.edit("prospect", prospect, lastName="高橋")
    world.clock.advance(1500)
    world.sf.edit("Lead", lead, Status="Working - Contacted")
    asked = writes_asked_for(world.sf)
    for _ in range(12):
        world.run(after=7)
    assert world.parked() == {("prospect", prospect): "refused_by_system", ("Lead", lead): "refused_by_system"}
    assert writes_asked_for(world.sf) == asked + 1
    world.sf.edit("Lead", lead, Status="Open - Not Contacted")
    world.run(after=1)
    assert writes_asked_for(world.sf) == asked + 2


def test_an_edit_in_the_second_in_which_a_refused_record_was_read_is_not_missed(world_with):
    world = world_with(master="most_recently_updated")
    prospect, lead = world.linked("taro@east.example", Title="課長")
    world.run()
    world.run()
    world.sf.duplicate_rules.append(DuplicateRule("Lead", ("LastName",)))
    world.lead("jiro@south.example", LastName="高橋")
    world.ae.edit("prospect", prospect, lastName="高橋")
    world.clock.advance(1500)
    world.sf.edit("Lead", lead, Status="Working - Contacted")
    world.run(after=0)
    assert world.parked()["Lead", lead] == "refused_by_system"
    stamp = world.right(lead)["SystemModstamp"]
    world.sf.edit("Lead", lead, Title="部長")
    assert world.right(lead)["SystemModstamp"] == stamp
    world.run(after=7)
    world.run()
    assert world.left(prospect)["jobTitle"] == "部長"
