"""Values of linked people: which crosses, which goes back, and what tells why."""

import pytest
from ae_sf_world import INTERVAL, Settings, World, blueprint_names, counts

from crmbridge.model import Disposition
from crmbridge.pipeline import pair
from crmbridge.policies import right_always
from crmbridge.reasons import Code
from crmbridge.testing.tables import Field

SAMPLES = {
    "Salutation": ("Mr.", "Ms."),
    "FirstName": ("太郎", "花子"),
    "LastName": ("山田", "髙橋"),
    "Title": ("課長", "部長"),
    "Phone": ("03-1234-5678", "06-8765-4321"),
    "Fax": ("03-1234-0000", "03-1234-9999"),
    "Website": ("https://a.example", "https://b.example"),
    "Street": ("丸の内1-1", "梅田2-2"),
    "City": ("千代田区", "北区"),
    "State": ("東京都", "大阪府"),
    "PostalCode": ("100-0005", "530-0001"),
    "Country": ("日本", "Japan"),
    "LeadSource": ("Web", "Other"),
    "Industry": ("Retail", "Finance"),
    "NumberOfEmployees": (50, 12000),
    "AnnualRevenue": (1000000.0, 98765432.0),
    "Description": ("一行目\n二行目", "改めて"),
    "DoNotCall": (False, True),
    "Company": ("株式会社東都", "東都ホールディングス"),
}
"""By field of a lead: what it holds, and what a person makes of it."""


def as_text(name, value):
    """Give a lead's value as a prospect holds it: what counts is free text there."""
    if name in ("NumberOfEmployees", "AnnualRevenue"):
        return str(int(value))
    return value


def differing(world, prospect, lead):
    left, right = world.left(prospect), world.right(lead)
    names = blueprint_names()
    return {
        name: (left[names[name]], right[name])
        for name in SAMPLES
        if left[names[name]] != as_text(name, right[name])
    }  # fmt: skip


@pytest.mark.requirement("AE-1")
def test_every_field_of_the_default_mapping_crosses_from_a_lead_to_its_prospect(world_with):
    world = world_with(master="most_recently_updated")
    prospect, lead = world.prospect("taro@east.example"), world.lead("taro@east.example")
    world.run()
    world.sf.edit("Lead", lead, **{name: after for name, (_, after) in SAMPLES.items()})
    world.run()
    assert differing(world, prospect, lead) == {}
    assert world.left(prospect)["lastName"] == "髙橋"
    assert world.left(prospect)["employees"] == "12000"


@pytest.mark.requirement("AE-1")
def test_every_field_of_the_default_mapping_crosses_from_a_prospect_to_its_lead(world_with):
    world = world_with(master="most_recently_updated")
    prospect, lead = world.prospect("taro@east.example"), world.lead("taro@east.example")
    world.run()
    names = blueprint_names()
    world.ae.edit("prospect", prospect, **{names[n]: as_text(n, after) for n, (_, after) in SAMPLES.items()})
    world.run()
    assert differing(world, prospect, lead) == {}
    assert world.right(lead)["LastName"] == "髙橋"
    assert world.right(lead)["NumberOfEmployees"] == 12000


@pytest.mark.requirement("AE-1")
def test_a_contact_keeps_its_mailing_address_and_department_in_step_with_its_prospect(world_with):
    world = world_with(master="most_recently_updated")
    prospect, contact = world.prospect("taro@east.example", company=None), world.contact("taro@east.example")
    world.run()
    world.ae.edit("prospect", prospect, city="北区", department="営業部", jobTitle="部長")
    world.run()
    shown = world.right(contact)
    assert (shown["MailingCity"], shown["Department"], shown["Title"]) == ("北区", "営業部", "部長")


@pytest.mark.requirement("AE-1")
def test_the_company_of_a_contact_comes_from_its_account_and_is_never_written_back(world_with):
    world = world_with(master="account_engagement")
    account = world.sf.put("Account", Name="東都商事")
    prospect = world.prospect("taro@east.example", company=None)
    world.contact("taro@east.example", AccountId=account)
    world.run()
    assert world.left(prospect)["company"] == "東都商事"
    world.ae.edit("prospect", prospect, company="西都商事")
    world.run()
    assert [row["Name"] for row in world.sf.rows("Account")] == ["東都商事"]
    assert ("salesforce", "update", "Account") not in world.ours()


@pytest.mark.requirement("AE-12")
@pytest.mark.parametrize("offset", [0.0, 1.0, 90.0, 179.0])
def test_a_run_each_three_minutes_carries_the_edits_of_both_sides_within_four(offset, world_with):
    world = world_with(master="most_recently_updated")
    prospect, lead = world.linked("taro@east.example")
    other, elsewhere = world.linked("hanako@east.example")
    for _ in range(5):
        world.run()
    world.clock.advance(offset)
    world.ae.edit("prospect", prospect, jobTitle="部長")
    world.sf.edit("Lead", elsewhere, Phone="06-8765-4321")
    edited = world.clock.now()
    world.run(after=INTERVAL - offset)
    assert (world.clock.now() - edited).total_seconds() <= 240
    assert (world.right(lead)["Title"], world.left(other)["phone"]) == ("部長", "06-8765-4321")


# -- masters ---------------------------------------------------------------------------


def met(master, **masters):
    """Link a pair whose title is 課長 on both sides."""
    world = World(settings=Settings(master=master, masters=masters))
    pair = world.linked("taro@east.example", Title="課長")
    world.run()
    return world, *pair


@pytest.mark.requirement("AE-9", "AE-10")
@pytest.mark.parametrize("master", ["salesforce", "account_engagement"])
def test_where_both_edited_the_masters_value_lives_on(master):
    world, prospect, lead = met(master)
    world.ae.edit("prospect", prospect, jobTitle="マーケ部長")
    world.sf.edit("Lead", lead, Title="営業部長")
    world.run()
    expected = "営業部長" if master == "salesforce" else "マーケ部長"
    assert (world.left(prospect)["jobTitle"], world.right(lead)["Title"]) == (expected, expected)


@pytest.mark.requirement("AE-9")
@pytest.mark.parametrize("later", ["salesforce", "account_engagement"])
def test_by_most_recently_updated_the_later_edit_lives_on(later):
    world, prospect, lead = met("most_recently_updated")
    edits = {
        "account_engagement": lambda: world.ae.edit("prospect", prospect, jobTitle="マーケ部長"),
        "salesforce": lambda: world.sf.edit("Lead", lead, Title="営業部長"),
    }
    for name in sorted(edits, key=lambda name: name == later):
        world.clock.advance(30)
        edits[name]()
    world.run()
    expected = "営業部長" if later == "salesforce" else "マーケ部長"
    assert (world.left(prospect)["jobTitle"], world.right(lead)["Title"]) == (expected, expected)


@pytest.mark.requirement("AE-9")
def test_a_master_named_for_one_field_holds_for_that_field_alone():
    world, prospect, lead = met("salesforce", jobTitle="account_engagement")
    world.ae.edit("prospect", prospect, jobTitle="部長", phone="03-1111-1111")
    world.sf.edit("Lead", lead, Title="係長", Phone="03-2222-2222")
    world.run()
    assert (world.right(lead)["Title"], world.right(lead)["Phone"]) == ("部長", "03-2222-2222")
    assert (world.left(prospect)["jobTitle"], world.left(prospect)["phone"]) == ("部長", "03-2222-2222")


@pytest.mark.requirement("AE-10", "AE-29")
@pytest.mark.parametrize("master", ["salesforce", "account_engagement"])
def test_an_edit_on_the_side_that_is_not_master_goes_back_and_why_names_the_priority(master):
    world, prospect, lead = met(master)
    if master == "salesforce":
        world.ae.edit("prospect", prospect, jobTitle="上書き")
    else:
        world.sf.edit("Lead", lead, Title="上書き")
    world.run()
    assert (world.left(prospect)["jobTitle"], world.right(lead)["Title"]) == ("課長", "課長")
    [row] = world.why("prospect", prospect, "jobTitle")
    [line] = row.fields
    assert line.because.code is Code.POLICY
    assert line.because.facts["policy"] == ("right_always" if master == "salesforce" else "left_always")
    assert line.towards == ("left" if master == "salesforce" else "right")


@pytest.mark.requirement("AE-21", "AE-26", "AE-29")
def test_after_a_move_of_department_the_wrong_side_loses_until_the_priority_is_revised():
    world = World()
    contact = world.contact("hanako@east.example", Department="営業一課", Title="主任")
    prospect = world.prospect("hanako@east.example", company=None, department="営業一課", jobTitle="主任")
    world.run()
    world.ae.edit("prospect", prospect, department="マーケティング部")
    world.run()
    assert world.left(prospect)["department"] == world.right(contact)["Department"] == "営業一課"
    [row] = world.why("prospect", prospect, "department")
    assert (row.fields[0].left, row.fields[0].sent) == ("マーケティング部", "営業一課")
    assert row.fields[0].because.facts["policy"] == "right_always"

    world.settings = Settings(masters={"department": "account_engagement"})
    world.ae.edit("prospect", prospect, department="マーケティング部")
    world.run()
    assert world.left(prospect)["department"] == world.right(contact)["Department"] == "マーケティング部"
    assert world.right(contact)["Title"] == "主任"


@pytest.mark.requirement("AE-11")
@pytest.mark.parametrize("master", ["salesforce", "account_engagement", "most_recently_updated"])
@pytest.mark.parametrize("blank_on", ["salesforce", "account_engagement"])
def test_at_first_contact_the_filled_side_fills_the_blank_one_whatever_the_master(master, blank_on):
    world = World(settings=Settings(master=master))
    filled_left = blank_on == "salesforce"
    prospect = world.prospect("taro@east.example", jobTitle="課長" if filled_left else None)
    lead = world.lead("taro@east.example", Title=None if filled_left else "課長")
    world.run()
    assert (world.left(prospect)["jobTitle"], world.right(lead)["Title"]) == ("課長", "課長")


@pytest.mark.requirement("AE-11")
@pytest.mark.parametrize("master", ["salesforce", "account_engagement", "most_recently_updated"])
@pytest.mark.parametrize("blanked", ["salesforce", "account_engagement"])
def test_a_value_that_is_blanked_on_one_side_comes_back_whatever_the_master(master, blanked):
    world, prospect, lead = met(master)
    if blanked == "salesforce":
        world.sf.edit("Lead", lead, Title=None)
    else:
        world.ae.edit("prospect", prospect, jobTitle=None)
    world.run()
    assert (world.left(prospect)["jobTitle"], world.right(lead)["Title"]) == ("課長", "課長")


@pytest.mark.requirement("AE-11")
def test_a_value_that_is_blanked_on_both_sides_stays_blank():
    world, prospect, lead = met("salesforce")
    world.sf.edit("Lead", lead, Title=None)
    world.ae.edit("prospect", prospect, jobTitle="")
    world.run()
    assert not world.left(prospect)["jobTitle"]
    assert not world.right(lead)["Title"]


# -- fields with a rule of their own -----------------------------------------------------


@pytest.mark.parametrize("side", ["salesforce", "account_engagement"])
def test_an_opt_out_crosses_from_either_side_and_is_never_taken_back(side, world):
    prospect, lead = world.linked("taro@east.example")
    world.run()
    if side == "salesforce":
        world.sf.edit("Lead", lead, HasOptedOutOfEmail=True)
    else:
        world.ae.edit("prospect", prospect, optedOut=True)
    world.run()
    assert (world.left(prospect)["optedOut"], world.right(lead)["HasOptedOutOfEmail"]) == (True, True)
    world.sf.edit("Lead", lead, HasOptedOutOfEmail=False)
    world.run()
    assert (world.left(prospect)["optedOut"], world.right(lead)["HasOptedOutOfEmail"]) == (True, True)


def test_the_score_is_always_account_engagements(world):
    prospect, lead = world.prospect("taro@east.example", score=40), world.lead("taro@east.example", pi__score__c=7)
    world.run()
    assert world.right(lead)["pi__score__c"] == 40
    world.sf.edit("Lead", lead, pi__score__c=99)
    world.run()
    assert (world.left(prospect)["score"], world.right(lead)["pi__score__c"]) == (40, 40)


def test_a_prospect_that_is_assigned_anew_does_not_change_the_owner_of_its_lead(world):
    prospect = world.prospect("taro@east.example", assigned=True)
    world.run()
    [lead] = world.live("Lead")
    other = world.ae.put("user", email="ito@org.example", lastName="伊藤", salesforceId=world.sf.user)
    world.ae.edit("prospect", prospect, assignedToId=other, jobTitle="部長")
    world.run()
    assert world.right(lead["Id"])["OwnerId"] == world.seller


@pytest.mark.requirement("AE-11", "AE-34")
@pytest.mark.parametrize("cleared", ["many", "single", "never filled"])
def test_a_single_value_goes_into_a_blank_field_with_many_values_and_the_reverse(cleared, world_with):
    world = world_with(last_values={"topics__c": "Topic__c"})
    world.ae.add_field("topics__c", "Multi-Select")
    for kind in ("Lead", "Contact"):
        world.sf.add_field(kind, Field("Topic__c", length=80))
    prospect = world.prospect("taro@east.example", topics__c=None if cleared == "never filled" else ["資料請求"])
    lead = world.lead("taro@east.example", Topic__c="資料請求")
    world.run()
    if cleared == "many":
        world.ae.edit("prospect", prospect, topics__c=[])
    if cleared == "single":
        world.sf.edit("Lead", lead, Topic__c=None)
    world.run()
    assert (world.left(prospect)["topics__c"], world.right(lead)["Topic__c"]) == (["資料請求"], "資料請求")
    world.run()
    assert world.parked() == {}


@pytest.mark.requirement("AE-34")
def test_of_a_field_with_many_values_the_one_that_was_added_last_is_stored(world_with):
    world = world_with(last_values={"topics__c": "Topic__c"})
    world.ae.add_field("topics__c", "Multi-Select")
    for kind in ("Lead", "Contact"):
        world.sf.add_field(kind, Field("Topic__c", length=80))
    prospect = world.prospect("taro@east.example", topics__c=["展示会", "資料請求"])
    lead = world.lead("taro@east.example")
    world.run()
    assert world.right(lead)["Topic__c"] == "資料請求"
    world.ae.edit("prospect", prospect, topics__c=["ウェビナー", "展示会", "資料請求"])
    world.run()
    assert world.right(lead)["Topic__c"] == "ウェビナー"
    assert world.left(prospect)["topics__c"] == ["ウェビナー", "展示会", "資料請求"]


def test_a_field_can_be_left_out_of_the_mapping(world_with):
    world = world_with(without=frozenset({"comments"}))
    prospect, lead = world.linked("taro@east.example")
    world.run()
    world.ae.edit("prospect", prospect, comments="社内限り", jobTitle="部長")
    world.sf.edit("Lead", lead, Description="別の話")
    world.run()
    assert (world.left(prospect)["comments"], world.right(lead)["Description"]) == ("社内限り", "別の話")


@pytest.mark.parametrize("wrong", [{"masters": {"jobtitle": "salesforce"}}, {"without": frozenset({"Title"})}])
def test_a_setting_for_a_field_that_is_not_mapped_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match="is not in the default mapping"):
        Settings(**wrong)


def test_a_master_that_there_is_not_is_refused_with_the_three_that_there_are():
    with pytest.raises(ValueError, match="salesforce, account_engagement, most_recently_updated"):
        Settings(masters={"city": "newest"})


@pytest.mark.parametrize("master", ["salesforce", "account_engagement"])
@pytest.mark.parametrize(
    ("given", "stored"),
    [("2500.50", 2501), ("-2500.50", -2501), ("2501.50", 2502), ("123456789012345678", 123456789012345678)],
)
def test_a_number_that_salesforce_stores_in_its_own_form_is_written_once_and_never_goes_back(master, given, stored):
    world = World(settings=Settings(master=master))
    prospect = world.prospect("a@east.example", assigned=True, annualRevenue=given)
    for _ in range(3):
        world.run()
    [lead] = world.live("Lead")
    assert (world.left(prospect)["annualRevenue"], lead["AnnualRevenue"]) == (given, stored)
    assert world.ours() == [("salesforce", "create", "Lead")]
    assert world.parked() == {}
    world.sf.edit("Lead", lead["Id"], AnnualRevenue=stored - 1)
    for _ in range(2):
        world.run()
    assert world.left(prospect)["annualRevenue"] == (given if master == "account_engagement" else str(stored - 1))


def test_after_quiet_a_run_sends_no_write(world):
    for number in range(6):
        world.prospect(f"p{number}@east.example", assigned=number % 2 == 0, jobTitle="課長", employees="1200")
    for number in range(3, 9):
        world.lead(f"p{number}@east.example", NumberOfEmployees=number, Description=" 空白 ")
    world.run()
    world.run()
    written = len(world.ours())
    report = world.run()
    assert len(world.ours()) == written
    assert report.writes == 0
    assert set(counts(report)) <= {"unchanged", "skipped"}


def test_a_plan_writes_nothing_and_the_run_writes_what_it_said(world):
    world.prospect("new@east.example", assigned=True)
    world.prospect("both@east.example", jobTitle="課長")
    world.lead("both@east.example", Phone="03-1234-5678")
    world.prospect("nobody@east.example")
    plan = world.pipeline().plan()
    assert world.ours() == []
    said = sorted((system.replace("_", "-"), verb) for (system, verb), number in plan.totals.writes.items() if number)
    report = world.run()
    assert sorted((system, verb) for system, verb, _ in world.ours()) == said
    assert said == [("account-engagement", "update"), ("salesforce", "create"), ("salesforce", "update")]
    assert sum(report.counts.values()) == report.read == plan.totals.read


def test_a_pair_of_the_users_own_stands_beside_the_default_mapping(world):
    world.rules = lambda pipeline: pipeline.fields(pair("notes", "MiddleName", right_always))
    prospect, _ = world.linked("taro@east.example")
    world.sf.edit("Lead", world.live("Lead")[0]["Id"], MiddleName="ジョン")
    world.run()
    assert world.left(prospect)["notes"] == "ジョン"


def test_an_approved_plan_is_carried_out_and_what_changed_meanwhile_waits(world):
    (calm, calm_lead), (moving, moving_lead) = world.linked("a@east.example"), world.linked("b@east.example")
    world.run()
    world.sf.edit("Lead", calm_lead, Title="部長")
    world.sf.edit("Lead", moving_lead, Title="部長")
    world.clock.advance(INTERVAL)
    plan = world.pipeline().plan()
    world.sf.edit("Lead", moving_lead, Title="取締役")
    world.clock.advance(INTERVAL)
    report = world.pipeline().run(plan)
    assert (world.left(calm)["jobTitle"], world.left(moving)["jobTitle"]) == ("部長", None)
    assert Code.STALE_PLAN in {decision.because.code for decision in report.rows(Disposition.HELD)}
    world.run(after=900)
    assert world.left(moving)["jobTitle"] == "取締役"


def test_nothing_stands_in_the_way_of_the_default_mapping(world):
    assert [str(finding) for finding in world.pipeline().check() if finding.fatal] == []


@pytest.mark.parametrize("master", ["salesforce", "most_recently_updated"])
def test_a_new_address_in_salesforce_becomes_the_prospects_and_the_two_stay_linked(master):
    world, prospect, lead = met(master)
    world.sf.edit("Lead", lead, Email="taro.yamada@west.example")
    world.run()
    assert world.left(prospect)["email"] == "taro.yamada@west.example"
    world.sf.edit("Lead", lead, Title="部長")
    world.run()
    assert world.left(prospect)["jobTitle"] == "部長"
    assert len(world.live("prospect")) == len(world.live("Lead")) == 1
