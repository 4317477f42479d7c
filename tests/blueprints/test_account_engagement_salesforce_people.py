"""Who is whose counterpart, who is made, who follows a merge, a conversion or a deletion."""

import datetime as dt

import pytest
from ae_sf_world import Settings, World, counts, one

from crmbridge.errors import GuardTripped
from crmbridge.model import Disposition, RecordRef
from crmbridge.reasons import Code

TITLE = "課長"


def carried(world, prospect, right):
    """Say whether an edit in Salesforce comes through to a prospect: the two are linked."""
    world.sf.edit("Lead" if right.startswith("00Q") else "Contact", right, Title="印")
    world.run()
    return world.left(prospect)["jobTitle"] == "印"


# -- matching --------------------------------------------------------------------------


@pytest.mark.requirement("AE-8")
@pytest.mark.parametrize("kind", ["Lead", "Contact"])
def test_the_salesforce_id_is_the_first_key_and_beats_the_address_of_another_record(kind, world):
    by_id = world.lead("old@east.example") if kind == "Lead" else world.contact("old@east.example")
    by_address = world.lead("new@east.example")
    prospect = world.prospect("new@east.example", salesforceId=by_id, company=None)
    world.run()
    assert carried(world, prospect, by_id)
    world.sf.edit("Lead", by_address, Title="別人")
    world.run()
    assert world.left(prospect)["jobTitle"] == "印"


@pytest.mark.requirement("AE-8")
def test_a_salesforce_id_of_fifteen_signs_is_the_same_id(world):
    lead = world.lead("old@east.example")
    prospect = world.prospect("new@east.example", salesforceId=lead[:15])
    world.run()
    assert carried(world, prospect, lead)


def test_a_person_is_explained_and_forgotten_by_an_id_of_fifteen_signs(world):
    _, lead = world.linked("taro@east.example")
    world.run()
    short = RecordRef("salesforce", "Lead", lead[:15])
    assert world.pipeline().why(short).ref.id == lead
    assert world.pipeline().forget(short) == 1
    world.sf.edit("Lead", lead, Title="部長")
    assert [world.run().writes for _ in range(2)] == [0, 0]


@pytest.mark.parametrize("later", [False, True])
def test_a_lead_that_nobody_has_touched_can_be_undone_and_one_with_another_owner_cannot(later, world):
    for touched in (False, True):
        world.prospect(f"p{touched}@east.example", assigned=True)
        made = world.run()
        if later:
            world.run()
        lead = world.sf.rows("Lead")[-1]["Id"]
        assert world.right(lead)["OwnerId"] == world.seller
        if touched:
            world.sf.edit("Lead", lead, OwnerId=world.sf.user)
        plan = world.pipeline().undo(made)
        assert [row.because.code for row in plan.rows()] == [Code.CHANGED_SINCE if touched else Code.UNDONE]
        world.pipeline().run(plan)
        assert (lead in [row["Id"] for row in world.live("Lead")]) == touched


@pytest.mark.requirement("AE-8")
@pytest.mark.parametrize("salesforce_id", [None, "00Q5g000000ZZZZEAA"])
def test_the_address_is_the_second_key_where_the_salesforce_id_matches_nothing(salesforce_id, world):
    lead = world.lead("TARO@East.example")
    prospect = world.prospect("taro@east.example", salesforceId=salesforce_id)
    world.run()
    assert carried(world, prospect, lead)


def test_people_without_an_address_are_never_taken_for_each_other(world):
    world.lead(None, Phone="03-1234-5678")
    world.prospect("taro@east.example", phone="03-1234-5678")
    world.run()
    assert world.ours() == []


@pytest.mark.requirement("AE-15")
def test_the_first_run_links_what_was_imported_with_its_salesforce_id_and_makes_no_prospects(world):
    leads = [world.lead(f"p{number}@east.example", Title=TITLE) for number in range(4)]
    imported = world.prospect("elsewhere@east.example", salesforceId=leads[0])
    world.run()
    assert len(world.live("prospect")) == 1
    assert world.left(imported)["jobTitle"] == TITLE
    assert carried(world, imported, leads[0])


@pytest.mark.requirement("AE-19")
@pytest.mark.parametrize("lead_first", [True, False])
def test_a_contact_comes_before_a_lead_with_the_same_address(lead_first, world):
    makers = [world.lead, world.contact] if lead_first else [world.contact, world.lead]
    made = []
    for make in makers:
        made.append(make("taro@east.example"))
        world.clock.advance(60)
    contact, lead = (made[1], made[0]) if lead_first else made
    prospect = world.prospect("taro@east.example", company=None)
    world.run()
    assert carried(world, prospect, contact)
    world.sf.edit("Lead", lead, Title="見込み")
    world.run()
    assert world.left(prospect)["jobTitle"] == "印"


@pytest.mark.requirement("AE-19")
@pytest.mark.parametrize("adopt", ["oldest", "latest"])
def test_of_several_leads_with_the_same_address_the_oldest_or_the_latest_is_taken(adopt, world_with):
    world = world_with(adopt=adopt)
    leads = []
    for _ in range(3):
        leads.append(world.lead("taro@east.example"))
        world.clock.advance(60)
    prospect = world.prospect("taro@east.example")
    world.run()
    assert carried(world, prospect, leads[0] if adopt == "oldest" else leads[-1])


@pytest.mark.requirement("AE-16")
def test_a_prospect_that_is_not_to_be_synced_is_neither_linked_nor_written_nor_made(world):
    world.prospect("stopped@east.example", salesforceId="[[crm_ignore_prospect]]", jobTitle="課長")
    world.prospect("alone@east.example", assigned=True, salesforceId="[[crm_ignore_prospect]]")
    world.lead("stopped@east.example", Title="部長")
    report = world.run()
    assert world.ours() == []
    assert counts(report) == {"skipped": 3}
    assert list(world.store.links.all("account_engagement_salesforce")) == []


@pytest.mark.requirement("AE-16")
def test_a_linked_prospect_that_is_stopped_later_stays_as_it_is_until_it_is_let_go_on(world):
    prospect, lead = world.linked("taro@east.example")
    world.run()
    world.ae.edit("prospect", prospect, salesforceId="[[crm_ignore_prospect]]", phone="03-1111-1111")
    world.sf.edit("Lead", lead, Title="部長")
    written = len(world.ours())
    world.run()
    assert len(world.ours()) == written
    world.ae.edit("prospect", prospect, salesforceId=lead)
    world.run()
    assert world.left(prospect)["jobTitle"] == "部長"


# -- creation --------------------------------------------------------------------------


@pytest.mark.requirement("AE-13")
def test_a_prospect_makes_a_lead_only_once_it_is_assigned_to_a_user(world):
    prospect = world.prospect("taro@east.example", firstName="太郎", jobTitle=TITLE)
    report = world.run()
    assert world.live("Lead") == []
    assert one(report, Disposition.SKIPPED).because.code is Code.GATE
    assert one(report, Disposition.SKIPPED).because.facts["field"] == "salesforceOwnerId"
    world.ae.edit("prospect", prospect, assignedToId=world.ae_seller)
    world.run()
    [lead] = world.live("Lead")
    held = (lead["Email"], lead["FirstName"], lead["LastName"], lead["Company"], lead["Title"], lead["OwnerId"])
    assert held == ("taro@east.example", "太郎", "山田", "株式会社東都", TITLE, world.seller)
    world.run()
    assert len(world.live("Lead")) == 1


@pytest.mark.requirement("AE-13")
def test_an_assigned_prospect_whose_contact_is_there_makes_no_lead(world):
    world.contact("taro@east.example")
    world.prospect("taro@east.example", assigned=True, company=None)
    world.run()
    assert world.live("Lead") == []


@pytest.mark.requirement("AE-14")
@pytest.mark.parametrize("kind", ["Lead", "Contact"])
def test_a_new_person_in_salesforce_makes_no_prospect_unless_that_is_switched_on(kind, world):
    make = world.lead if kind == "Lead" else world.contact
    make("taro@east.example", Title=TITLE)
    report = world.run()
    assert world.live("prospect") == []
    assert one(report, Disposition.SKIPPED).because.code is Code.CREATES_OFF

    switched = World(settings=Settings(create_prospects=True))
    (switched.lead if kind == "Lead" else switched.contact)("taro@east.example", Title=TITLE, pi__score__c=99)
    for _ in range(5):
        switched.run()
    [prospect] = switched.live("prospect")
    held = (prospect["email"], prospect["jobTitle"], prospect["score"], prospect["assignedToId"])
    assert held == ("taro@east.example", TITLE, 0, None)
    assert len(switched.live("Lead")) + len(switched.live("Contact")) == 1
    assert switched.parked() == {}


@pytest.mark.requirement("AE-12", "AE-14")
@pytest.mark.parametrize(("kind", "minutes"), [("Lead", 3), ("Contact", 12)])
@pytest.mark.parametrize("edited", [False, True])
def test_a_new_lead_is_a_prospect_in_the_next_run_and_a_contact_after_ten_minutes(kind, minutes, edited):
    world = World(settings=Settings(create_prospects=True))
    made = (world.lead if kind == "Lead" else world.contact)("taro@east.example")
    begun = world.clock.now()
    while not world.live("prospect"):
        if edited:
            world.sf.edit(kind, made, Title=f"{world.clock.now()}")
        assert world.clock.now() - begun < dt.timedelta(hours=1)
        world.run()
    assert world.clock.now() - begun == dt.timedelta(minutes=minutes)


@pytest.mark.requirement("AE-14")
def test_the_contact_of_a_converted_lead_gets_no_second_prospect():
    world = World(settings=Settings(create_prospects=True))
    lead = world.lead("taro@east.example")
    world.run()
    world.sf.convert(lead)
    for _ in range(6):
        world.run()
    assert len(world.live("prospect")) == 1


def test_two_prospects_of_one_address_make_one_lead(world):
    world.ae.ampsea = True
    world.prospect("taro@east.example", assigned=True)
    world.prospect("Taro@east.example", assigned=True)
    for _ in range(3):
        world.run()
    assert len(world.live("Lead")) == 1
    assert list(world.parked().values()) == ["already_linked"]


# -- duplicates ------------------------------------------------------------------------


@pytest.mark.requirement("AE-28")
def test_a_duplicate_is_reported_and_nothing_of_it_is_written(world):
    first = world.lead("taro@east.example")
    world.clock.advance(60)
    second = world.lead("taro@east.example", Title="二重")
    prospect = world.prospect("taro@east.example")
    assert world.pipeline().plan().totals.by_disposition[Disposition.DISPUTED] == 1
    report = world.run()
    decision = one(report, Disposition.DISPUTED)
    assert decision.ref.id == second
    assert decision.because.code is Code.ALREADY_LINKED
    facts = decision.because.facts
    assert (facts["counterpart"], facts["record"]) == (f"prospect {prospect}", f"Lead {first}")
    assert not world.left(prospect)["jobTitle"]
    assert carried(world, prospect, first)


@pytest.mark.requirement("AE-28")
@pytest.mark.parametrize("winner", ["linked", "duplicate"])
def test_a_merge_at_the_vendor_is_followed_whichever_record_wins(winner, world):
    linked = world.lead("taro@east.example")
    world.clock.advance(60)
    duplicate = world.lead("taro@east.example")
    prospect = world.prospect("taro@east.example")
    world.run()
    won, lost = (linked, duplicate) if winner == "linked" else (duplicate, linked)
    world.sf.merge(won, lost)
    world.run()
    world.run()
    assert world.parked() == {}
    assert not world.left(prospect)["isDeleted"]
    assert carried(world, prospect, won)
    assert len(world.live("Lead")) == 1


@pytest.mark.requirement("AE-28")
def test_the_prospect_of_a_lead_that_became_anothers_contact_is_reported_at_every_change(world):
    account = world.sf.put("Account", Name="株式会社東都")
    contact = world.contact("old@east.example", AccountId=account)
    first = world.prospect("old@east.example", company=None)
    second, lead = world.linked("new@east.example")
    world.run()
    world.run()
    world.sf.convert(lead, account, contact_id=contact)
    world.run()
    for change in ({"jobTitle": TITLE}, {"optedOut": True}):
        world.clock.advance(1200)
        world.ae.edit("prospect", second, **change)
        report = world.run()
        [row] = report.duplicates()
        assert row.ref.id == second
        assert row.because.facts == {"record": f"Contact {contact}", "rival": f"prospect {first}"}
        assert f"prospect {second}: " in str(report)
    [there] = world.live("Contact")
    assert (there["Title"], there["HasOptedOutOfEmail"]) == (None, False)


# -- conversion and deletion -------------------------------------------------------------


def test_a_prospect_follows_its_converted_lead_to_the_contact(world):
    prospect, lead = world.linked("taro@east.example", Title=TITLE)
    world.run()
    contact = world.sf.convert(lead)
    written = len(world.ours())
    world.run()
    assert len(world.ours()) == written
    assert len(world.live("Contact")) == 1
    assert carried(world, prospect, contact)
    world.ae.edit("prospect", prospect, phone="03-1234-5678")
    world.settings = Settings(master="account_engagement")
    world.run()
    assert world.right(contact)["Phone"] == "03-1234-5678"
    assert world.live("Lead") == []


@pytest.mark.parametrize("kind", ["Lead", "Contact"])
def test_the_prospect_of_a_deleted_person_goes_to_the_recycle_bin_and_no_lead_is_made_again(kind, world):
    prospect, right = world.linked("taro@east.example", kind)
    world.linked("hanako@east.example")
    world.ae.edit("prospect", prospect, assignedToId=world.ae_seller)
    world.run()
    world.sf.remove(kind, right)
    world.run()
    assert world.left(prospect)["isDeleted"]
    world.ae.undelete("prospect", prospect)
    world.run()
    assert "taro@east.example" not in [row["Email"] for row in world.live("Lead")]


def test_with_archiving_off_the_prospect_of_a_deleted_lead_is_left_alone(world_with):
    world = world_with(archive_deleted=False)
    prospect, lead = world.linked("taro@east.example")
    _, other = world.linked("hanako@east.example")
    world.ae.edit("prospect", prospect, assignedToId=world.ae_seller)
    world.run()
    world.sf.remove("Lead", lead)
    world.run()
    world.ae.edit("prospect", prospect, jobTitle="部長")
    world.run()
    assert not world.left(prospect)["isDeleted"]
    assert [row["Id"] for row in world.live("Lead")] == [other]


def test_a_deleted_prospect_never_deletes_its_lead(world):
    prospect, lead = world.linked("taro@east.example")
    other, _ = world.linked("hanako@east.example")
    world.run()
    world.ae.remove("prospect", prospect)
    world.run()
    world.sf.edit("Lead", lead, Title="部長")
    world.run()
    assert not world.right(lead)["IsDeleted"]
    assert [row["id"] for row in world.live("prospect")] == [other]


def test_more_deletions_than_the_guard_allows_stop_the_run_before_it_writes(world):
    pairs = [world.linked(f"p{number}@east.example") for number in range(20)]
    world.run()
    for _, lead in pairs[:11]:
        world.sf.remove("Lead", lead)
    written = len(world.ours())
    with pytest.raises(GuardTripped, match="too_many_deletes"):
        world.run()
    with pytest.raises(GuardTripped):
        world.run()
    assert len(world.ours()) == written
    for _, lead in pairs[:11]:
        world.sf.undelete(lead)
    world.run()
    assert len(world.live("prospect")) == 20


def test_an_organisation_that_shows_nobody_any_more_deletes_nobody(world):
    pairs = [world.linked(f"p{number}@east.example") for number in range(5)]
    world.run()
    for _, lead in pairs:
        world.sf.remove("Lead", lead)
    with pytest.raises(GuardTripped, match="emptied"):
        world.run()
    assert len(world.live("prospect")) == 5
