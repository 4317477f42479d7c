"""Writes to the Account Engagement fake, by clients and by people at the vendor (ae-v5, ae-prospect, ae-errors, ae-recycle)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 3, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def go(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def client(fake: FakeAccountEngagement) -> httpx.Client:
    given = {
        "Authorization": f"Bearer {fake.credentials['token']}",
        "Pardot-Business-Unit-Id": fake.credentials["business_unit_id"],
    }
    return httpx.Client(transport=fake.transport(), base_url="https://pi.pardot.com/api/v5", headers=given)


def refused(answer: httpx.Response) -> tuple[int, int]:
    assert set(answer.json()) == {"code", "message"}
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock) -> FakeAccountEngagement:
    return FakeAccountEngagement(now=clock, read_lag=0)


PROSPECTS = "/objects/prospects"


# ---- create, update, delete: ae-v5, ae-prospect ---------------------------------------------------


def test_a_create_answers_201_with_the_location_and_the_fields_asked_for(fake: FakeAccountEngagement):
    with client(fake) as http:
        answer = http.post(
            f"{PROSPECTS}?fields=id,email,company,score,createdAt,createdById,updatedById,isReviewed",
            json={"email": "taro@example.jp", "company": "株式会社髙島屋 ☕", "lastName": None},
        )
        assert answer.status_code == 201
        assert answer.headers["location"] == "https://pi.pardot.com/api/v5/objects/prospects/1"
        assert answer.json() == {
            "id": 1,
            "email": "taro@example.jp",
            "company": "株式会社髙島屋 ☕",
            "score": 0,
            "createdAt": "2026-11-21T12:00:00+09:00",
            "createdById": 2,
            "updatedById": 2,
            "isReviewed": False,
        }
        assert http.get(answer.headers["location"], params={"fields": "company"}).json() == {
            "company": "株式会社髙島屋 ☕"
        }


def test_a_create_without_fields_answers_the_id(fake: FakeAccountEngagement):
    """From memory: no public page shows what such a create answers."""
    with client(fake) as http:
        answer = http.post(PROSPECTS, json={"email": "a@example.jp"})
    assert (answer.status_code, answer.json()) == (201, {"id": 1})


def test_an_update_changes_what_is_named_and_answers_204_when_nothing_is_asked_for(fake: FakeAccountEngagement):
    id = fake.put("prospect", email="a@example.jp", city="東京", phone="03-1111-2222")
    with client(fake) as http:
        silent = http.patch(f"{PROSPECTS}/{id}", json={"city": None, "isDoNotCall": True})
        assert (silent.status_code, silent.content) == (204, b"")
        answer = http.patch(f"{PROSPECTS}/{id}?fields=city,phone,isDoNotCall,firstName", json={"firstName": "花子"})
    assert answer.status_code == 200
    assert answer.json() == {"city": None, "phone": "03-1111-2222", "isDoNotCall": True, "firstName": "花子"}


def test_a_write_moves_the_stamps_and_names_the_api_user_and_a_person_is_another(
    fake: FakeAccountEngagement, clock: Clock
):
    id = fake.put("prospect", email="a@example.jp")
    fields = f"{PROSPECTS}/{id}?fields=createdAt,updatedAt,createdById,updatedById"
    with client(fake) as http:
        clock.go(5)
        assert http.patch(fields, json={"city": "東京"}).json() == {
            "createdAt": "2026-11-21T12:00:00+09:00",
            "updatedAt": "2026-11-21T12:00:05+09:00",
            "createdById": 1,
            "updatedById": 2,
        }
        clock.go(5)
        fake.edit("prospect", id, city="大阪")
        answer = http.get(fields).json()
        assert (answer["updatedAt"], answer["updatedById"]) == ("2026-11-21T12:00:10+09:00", 1)
        fake.edit("prospect", id, by=fake.put("user", username="sato@example.jp") and "sato@example.jp", city="京都")
        assert http.get(fields).json()["updatedById"] == 3


def test_a_delete_puts_the_prospect_into_the_bin_where_it_cannot_be_updated(fake: FakeAccountEngagement):
    id = fake.put("prospect", email="a@example.jp")
    with client(fake) as http:
        assert http.delete(f"{PROSPECTS}/{id}").status_code == 204
        assert refused(http.delete(f"{PROSPECTS}/{id}")) == (404, 109)
        assert refused(http.patch(f"{PROSPECTS}/{id}", json={"city": "x"})) == (400, 219)
        assert refused(http.patch(f"{PROSPECTS}/77", json={"city": "x"})) == (404, 109)
    assert fake.rows("prospect") == []
    assert fake.rows("prospect", deleted=True)[0]["isDeleted"] is True


def test_the_ledger_tells_each_write_with_what_it_replaced_and_who_did_it(fake: FakeAccountEngagement):
    api = fake.credentials["username"]
    with client(fake) as http:
        http.post(PROSPECTS, json={"email": "a@example.jp", "city": "東京"})
        http.patch(f"{PROSPECTS}/1", json={"city": "大阪"})
        http.get(f"{PROSPECTS}/1?fields=id")
        fake.edit("prospect", "1", city="京都")
        http.delete(f"{PROSPECTS}/1")
    told = [(w.verb, w.id, w.values.get("city"), w.before.get("city"), w.by, w.request) for w in fake.ledger]
    assert told == [
        ("create", "1", "東京", None, api, 1),
        ("update", "1", "大阪", "東京", api, 2),
        ("update", "1", "京都", "大阪", "a person", 0),
        ("delete", "1", None, "京都", api, 4),
    ]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"nonsense": "x"}, 180),
        ({"id": 7}, 180),
        ({"createdAt": "2026-11-21T12:00:00+09:00"}, 180),
        ({"assignedToId": 1}, 180),
        ({"grade": "A+"}, 180),
        ({"x__c": "x"}, 180),
        ({"email": ""}, 4),
        ({"email": None}, 4),
        ({"email": 5}, 4),
        ({"email": "no address"}, 4),
        ({"email": "a@b"}, 4),
        ({"email": f"{'a' * 245}@example.jp"}, 4),
        ({"score": "12"}, 56),
        ({"score": 1.5}, 56),
        ({"score": True}, 56),
        ({"score": 2**31}, 56),
        ({"isStarred": "true"}, 50),
        ({"isStarred": 1}, 50),
        ({"city": 5}, 154),
        ({"city": ["x"]}, 154),
        ({"city": "a\0b"}, 154),
        ({"campaignId": 99}, 38),
        ({"prospectAccountId": 99}, 61),
        ({"userId": 99}, 10),
        ({"salesforceOwnerId": "0055i000000Nobody0"}, 79),
        ({"salesforceId": "0015i000000AAAAAAA"}, 77),
        ({"userId": 1, "salesforceOwnerId": "0055i000000Api1AAC"}, 125),
    ],
)
def test_a_value_that_is_not_allowed_has_its_code_and_nothing_is_stored(
    fake: FakeAccountEngagement, values: dict[str, Any], code: int
):
    id = fake.put("prospect", email="there@example.jp")
    before = fake.rows("prospect")
    with client(fake) as http:
        assert refused(http.post(PROSPECTS, json={"email": "new@example.jp"} | values)) == (400, code)
        assert refused(http.patch(f"{PROSPECTS}/{id}", json=values)) == (400, code)
    assert fake.rows("prospect") == before
    assert fake.ledger == ()


def test_a_create_without_its_required_property_is_refused(fake: FakeAccountEngagement):
    with client(fake) as http:
        assert refused(http.post(PROSPECTS, json={"city": "東京"})) == (400, 153)


@pytest.mark.parametrize(
    "email", ["taro.@example.jp", "taro@.example.jp", ".taro@example.jp", "a..b@example.jp", "a+b@x.example.jp"]
)
def test_a_dot_next_to_the_at_sign_is_accepted_here_though_salesforce_refuses_it(
    fake: FakeAccountEngagement, email: str
):
    """requirements.md AE-30."""
    with client(fake) as http:
        assert http.post(f"{PROSPECTS}?fields=email", json={"email": email}).json() == {"email": email}


def test_text_has_no_limit_of_length_here(fake: FakeAccountEngagement):
    """requirements.md AE-31; an address of 255 characters is the longest (ae-errors, code 4)."""
    email, long = f"{'a' * 244}@example.jp", "株" * 300_000
    assert len(email) == 255
    with client(fake) as http:
        answer = http.post(f"{PROSPECTS}?fields=email,company", json={"email": email, "company": long})
    assert answer.json() == {"email": email, "company": long}


def test_a_password_is_taken_and_never_kept(fake: FakeAccountEngagement):
    with client(fake) as http:
        http.post(PROSPECTS, json={"email": "a@example.jp", "password": "hunter2"})
    assert "hunter2" not in str(fake.rows("prospect")) + str([write.values for write in fake.ledger])


def test_an_address_belongs_to_one_prospect_unless_the_account_allows_several(fake: FakeAccountEngagement):
    """ae-transition; code 54 for an update is our choice between 9 and 54."""
    fake.put("prospect", email="a@example.jp")
    other = fake.put("prospect", email="b@example.jp")
    with client(fake) as http:
        assert refused(http.post(PROSPECTS, json={"email": "A@example.jp"})) == (400, 9)
        assert refused(http.patch(f"{PROSPECTS}/{other}", json={"email": "a@example.jp"})) == (400, 54)
        assert http.patch(f"{PROSPECTS}/{other}", json={"email": "B@example.jp"}).status_code == 204
        fake.ampsea = True
        assert http.post(PROSPECTS, json={"email": "a@example.jp"}).status_code == 201


def test_a_conflicting_update_by_a_fault_changes_nothing(fake: FakeAccountEngagement):
    fake.faults.add("F14:1/POST /api/v5/objects")
    with client(fake) as http:
        assert refused(http.post(PROSPECTS, json={"email": "a@example.jp"})) == (400, 62)
        assert http.post(PROSPECTS, json={"email": "a@example.jp"}).status_code == 201


# ---- owners and Salesforce ids: ae-prospect, ae-transition -----------------------------------------


def test_an_owner_is_said_by_either_id_and_read_by_both(fake: FakeAccountEngagement):
    user = fake.put("user", email="sales@example.jp", salesforceId="0055i000000SaleAAA")
    fields = "?fields=assignedToId,salesforceOwnerId,assignedTo.email"
    owned = {
        "assignedToId": int(user),
        "salesforceOwnerId": "0055i000000SaleAAA",
        "assignedTo": {"email": "sales@example.jp"},
    }
    with client(fake) as http:
        for number, owner in enumerate(({"userId": int(user)}, {"salesforceOwnerId": "0055i000000Sale"})):
            answer = http.post(PROSPECTS + fields, json={"email": f"p{number}@example.jp"} | owner)
            assert answer.json() == owned
        answer = http.patch(f"{PROSPECTS}/1{fields}", json={"userId": None})
        assert answer.json() == {"assignedToId": None, "salesforceOwnerId": None, "assignedTo": None}
        fake.edit("prospect", "1", assignedToId=user)
        assert http.get(f"{PROSPECTS}/1{fields}").json() == owned
    assert fake.rows("prospect")[0]["salesforceOwnerId"] == "0055i000000SaleAAA"


def test_a_salesforce_id_says_whether_it_is_a_leads_or_a_contacts(fake: FakeAccountEngagement):
    lead, contact = "00Q5i000000AAAAAAA", "0035i000000BBBBBBB"
    fields = f"{PROSPECTS}/1?fields=salesforceId,salesforceLeadId,salesforceContactId"
    with client(fake) as http:
        http.post(PROSPECTS, json={"email": "a@example.jp", "salesforceId": lead})
        assert http.get(fields).json() == {
            "salesforceId": lead,
            "salesforceLeadId": lead,
            "salesforceContactId": None,
        }
        assert http.patch(fields, json={"salesforceId": contact}).json()["salesforceContactId"] == contact
        fake.edit("prospect", "1", salesforceId="[[crm_ignore_prospect]]")
        assert http.get(fields).json()["salesforceId"] == "[[crm_ignore_prospect]]"


# ---- actions: ae-prospect, R:@segment/action-destinations -------------------------------------------


def upsert(http: httpx.Client, **body: Any) -> httpx.Response:
    return http.post(f"{PROSPECTS}/do/upsertLatestByEmail", json=body)


def test_an_upsert_creates_and_then_updates_the_prospect_of_the_address(fake: FakeAccountEngagement):
    with client(fake) as http:
        body = {
            "matchEmail": "a@example.jp",
            "prospect": {"email": "a@example.jp", "city": "東京"},
            "fields": ["id", "city"],
        }
        first, second = upsert(http, **body), upsert(http, **body | {"prospect": {"city": "大阪"}})
    assert (first.status_code, first.json()) == (201, {"id": 1, "city": "東京"})
    assert first.headers["location"].endswith("/objects/prospects/1")
    assert (second.status_code, second.json()) == (200, {"id": 1, "city": "大阪"})
    assert [write.verb for write in fake.ledger] == ["create", "update"]


def test_an_upsert_takes_the_prospect_with_the_latest_activity(fake: FakeAccountEngagement):
    fake.ampsea = True
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    for days in (1, 9, 3):
        fake.put("prospect", email="a@example.jp", lastActivityAt=moment + timedelta(days=days))
    fake.put("prospect", email="a@example.jp")
    with client(fake) as http:
        assert upsert(http, matchEmail="A@example.jp", prospect={"city": "x"}).json() == {"id": 2}


def test_an_upsert_looks_into_the_bin_unless_it_is_told_not_to(fake: FakeAccountEngagement):
    fake.remove("prospect", fake.put("prospect", email="a@example.jp", city="東京"))
    fake.remove("prospect", fake.put("prospect", email="b@example.jp"))
    with client(fake) as http:
        found = upsert(http, matchEmail="a@example.jp", prospect={"phone": "1"}, fields=["id", "city", "isDeleted"])
        assert (found.status_code, found.json()) == (200, {"id": 1, "city": "東京", "isDeleted": False})
        fresh = upsert(http, matchEmail="b@example.jp", prospect={}, secondaryDeletedSearch=False)
        assert (fresh.status_code, fresh.json()) == (201, {"id": 3})


def test_an_upsert_that_is_refused_leaves_the_bin_as_it_was(fake: FakeAccountEngagement):
    fake.remove("prospect", fake.put("prospect", email="a@example.jp"))
    written = len(fake.ledger)
    with client(fake) as http:
        assert refused(upsert(http, matchEmail="a@example.jp", prospect={"score": "x"})) == (400, 56)
    assert (fake.rows("prospect"), len(fake.ledger)) == ([], written)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"matchEmail": "a@example.jp"}, 207),
        ({"matchEmail": "a@example.jp", "prospect": []}, 206),
        ({"matchEmail": 5, "prospect": {}}, 206),
        ({"prospect": {}}, 207),
        ({"matchEmail": "a@example.jp", "prospect": {}, "nonsense": 1}, 208),
        ({"matchEmail": "a@example.jp", "prospect": {}, "secondaryDeletedSearch": "yes"}, 206),
        ({"matchEmail": "a@example.jp", "prospect": {}, "fields": [1]}, 206),
        ({"matchEmail": "a@example.jp", "prospect": {}, "fields": ["nonsense"]}, 224),
        ({"matchEmail": "nobody", "prospect": {}}, 4),
    ],
)
def test_an_upsert_with_wrong_arguments_is_refused(fake: FakeAccountEngagement, body: dict[str, Any], code: int):
    with client(fake) as http:
        assert refused(upsert(http, **body)) == (400, code)
    assert fake.ledger == ()


def test_an_undelete_restores_the_prospect_of_the_address(fake: FakeAccountEngagement):
    id = fake.put("prospect", email="a@example.jp", city="東京")
    body = {"matchEmail": "a@example.jp", "fields": ["id", "city"]}
    with client(fake) as http:
        assert refused(http.post(f"{PROSPECTS}/do/undelete", json=body)) == (404, 109)
        http.delete(f"{PROSPECTS}/{id}")
        answer = http.post(f"{PROSPECTS}/do/undelete", json=body)
        assert (answer.status_code, answer.json()) == (200, {"id": 1, "city": "東京"})
        assert http.get(f"{PROSPECTS}/{id}?fields=isDeleted").json() == {"isDeleted": False}
    assert [write.verb for write in fake.ledger] == ["delete", "undelete"]


def test_an_undelete_does_not_make_two_prospects_of_one_address(fake: FakeAccountEngagement):
    fake.remove("prospect", fake.put("prospect", email="a@example.jp"))
    fake.put("prospect", email="a@example.jp")
    with client(fake) as http:
        assert refused(http.post(f"{PROSPECTS}/do/undelete", json={"matchEmail": "a@example.jp"})) == (400, 54)


def test_a_tag_is_put_on_once_and_taken_off(fake: FakeAccountEngagement):
    id, tag = fake.put("prospect", email="a@example.jp"), fake.put("tag", name="重要")
    with client(fake) as http:
        on = http.post(f"{PROSPECTS}/{id}/do/addTag", json={"tagId": int(tag)})
        assert (on.status_code, on.json()) == (200, {"id": 1, "tagId": 1, "objectType": "prospect", "objectId": 1})
        assert http.post(f"{PROSPECTS}/{id}/do/addTag", json={"tagName": "重要"}).json() == on.json()
        ties = http.get("/objects/tagged-objects?fields=objectName,tag.name,tag.objectCount").json()["values"]
        assert ties == [{"objectName": "a@example.jp", "tag": {"name": "重要", "objectCount": 1}}]
        assert http.post(f"{PROSPECTS}/{id}/do/removeTag", json={"tagName": "重要"}).status_code == 204
        assert refused(http.post(f"{PROSPECTS}/{id}/do/removeTag", json={"tagName": "重要"})) == (400, 242)
        assert http.get("/objects/tagged-objects?fields=id").json()["values"] == []


def test_a_new_tag_is_made_by_its_name_and_not_by_an_id(fake: FakeAccountEngagement):
    id = fake.put("prospect", email="a@example.jp")
    with client(fake) as http:
        assert http.post(f"{PROSPECTS}/{id}/do/addTag", json={"tagName": "新規"}).status_code == 200
        assert refused(http.post(f"{PROSPECTS}/{id}/do/addTag", json={"tagId": 99})) == (400, 242)
        assert refused(http.post(f"{PROSPECTS}/{id}/do/addTag", json={})) == (400, 207)
        assert refused(http.post(f"{PROSPECTS}/{id}/do/addTag", json={"tagName": " "})) == (400, 206)
        assert refused(http.post(f"{PROSPECTS}/{id}/do/nonsense", json={"tagName": "x"})) == (400, 205)
        assert refused(http.post(f"{PROSPECTS}/99/do/addTag", json={"tagName": "x"})) == (404, 109)
    assert [row["name"] for row in fake.rows("tag")] == ["新規"]


def test_a_deleted_tag_leaves_nothing_behind(fake: FakeAccountEngagement):
    id = fake.put("prospect", email="a@example.jp")
    with client(fake) as http:
        tag = http.post("/objects/tags", json={"name": "x"}).json()["id"]
        assert refused(http.post("/objects/tags", json={"name": "X"})) == (400, 245)
        http.post(f"{PROSPECTS}/{id}/do/addTag", json={"tagId": tag})
        assert http.delete(f"/objects/tags/{tag}").status_code == 204
    assert fake.rows("tag", deleted=True) == fake.rows("tagged_object", deleted=True) == []


# ---- other objects: ae-datamodel, ae-errors ---------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "path"), [("prospect_account", "prospect-accounts"), ("opportunity", "opportunities")]
)
def test_what_salesforce_owns_cannot_be_written_here(fake: FakeAccountEngagement, kind: str, path: str):
    """requirements.md AE-2, AE-3."""
    id = fake.put(kind, name="株式会社青空商事")
    with client(fake) as http:
        assert refused(http.post(f"/objects/{path}", json={"name": "x"})) == (405, 37)
        assert refused(http.patch(f"/objects/{path}/{id}", json={"name": "x"})) == (405, 37)
        assert refused(http.delete(f"/objects/{path}/{id}")) == (405, 37)
    assert fake.ledger == ()


@pytest.mark.parametrize("path", ["users", "visitor-activities", "tagged-objects"])
def test_an_object_that_can_only_be_read_refuses_the_method(fake: FakeAccountEngagement, path: str):
    with client(fake) as http:
        answers = (
            http.post(f"/objects/{path}", json={"x": 1}),
            http.patch(f"/objects/{path}/1", json={"x": 1}),
            http.delete(f"/objects/{path}/1"),
            http.put(f"/objects/{path}/1", json={"x": 1}),
            http.patch(f"/objects/{path}", json={"x": 1}),
        )
        assert [refused(answer) for answer in answers] == [(405, 60)] * 5


def test_campaigns_belong_to_salesforce_while_they_are_connected(fake: FakeAccountEngagement):
    id = fake.put("campaign", name="展示会")
    with client(fake) as http:
        assert refused(http.post("/objects/campaigns", json={"name": "x"})) == (405, 128)
        assert refused(http.patch(f"/objects/campaigns/{id}", json={"name": "x"})) == (405, 129)


def test_a_list_has_members_once_each(fake: FakeAccountEngagement):
    prospect, gone = fake.put("prospect", email="a@example.jp"), fake.put("prospect", email="b@example.jp")
    fake.remove("prospect", gone)
    path = "/objects/list-memberships"
    with client(fake) as http:
        list_id = http.post("/objects/lists", json={"name": "メルマガ", "isPublic": True}).json()["id"]
        member = {"listId": list_id, "prospectId": int(prospect)}
        answer = http.post(f"{path}?fields=id,optedOut,list.name,prospect.email", json=member)
        assert answer.json() == {
            "id": 1,
            "optedOut": False,
            "list": {"name": "メルマガ"},
            "prospect": {"email": "a@example.jp"},
        }
        assert refused(http.post(path, json=member)) == (400, 58)
        assert refused(http.post(path, json=member | {"listId": 99})) == (400, 55)
        assert refused(http.post(path, json=member | {"prospectId": 99})) == (400, 3)
        assert refused(http.post(path, json=member | {"prospectId": int(gone)})) == (400, 132)
        assert refused(http.post(path, json={"listId": list_id})) == (400, 153)
        assert refused(http.patch(f"{path}/1", json={"prospectId": 1})) == (400, 180)
        assert http.patch(f"{path}/1?fields=optedOut", json={"optedOut": True}).json() == {"optedOut": True}
        assert http.delete(f"{path}/1").status_code == 204
        assert http.post(path, json=member).status_code == 201


def test_a_custom_field_can_be_written_under_its_name_with_the_suffix_until_it_is_removed(fake: FakeAccountEngagement):
    """requirements.md AE-32."""
    fields = f"{PROSPECTS}?fields=Interest__c"
    with client(fake) as http:
        assert refused(http.post(fields, json={"email": "a@example.jp", "Interest__c": "x"})) == (400, 224)
        made = http.post("/objects/custom-fields", json={"name": "興味", "fieldId": "Interest", "type": "Text"})
        assert made.status_code == 201
        answer = http.post(fields, json={"email": "a@example.jp", "Interest__c": "展示会"})
        assert (answer.status_code, answer.json()) == (201, {"Interest__c": "展示会"})
        assert refused(http.post(fields, json={"email": "b@example.jp", "interest__c": "x"})) == (400, 180)
        again = {"name": "x", "fieldId": "interest", "type": "Text"}
        assert refused(http.post("/objects/custom-fields", json=again)) == (400, 245)
        assert refused(http.post("/objects/custom-fields", json=again | {"type": "Colour", "fieldId": "y"})) == (
            400,
            154,
        )
        http.delete(f"/objects/custom-fields/{made.json()['id']}")
        assert refused(http.get(fields)) == (400, 224)


@pytest.mark.parametrize(
    ("type", "good", "bad", "code"),
    [
        ("Text", "x", 5, 154),
        ("Number", 12.5, "12", 56),
        ("Date", "2026-02-28", "2026-02-30", 57),
        ("Dropdown", "高", ["高"], 154),
        ("Multi-Select", ["製品A", "製品B"], ["x", 1], 154),
        ("Checkbox", [], {"x": 1}, 154),
    ],
)
def test_a_custom_field_takes_values_of_its_type(
    fake: FakeAccountEngagement, type: str, good: Any, bad: Any, code: int
):
    fake.add_field("Extra__c", type)
    id = fake.put("prospect", email="a@example.jp", Extra__c=good)
    with client(fake) as http:
        answer = http.patch(f"{PROSPECTS}/{id}?fields=Extra__c", json={"Extra__c": good})
        assert answer.json() == {"Extra__c": good}
        assert refused(http.patch(f"{PROSPECTS}/{id}", json={"Extra__c": bad})) == (400, code)
    assert fake.rows("prospect")[0]["Extra__c"] == good


def test_one_value_for_a_field_of_several_is_a_list_of_one(fake: FakeAccountEngagement):
    fake.add_field("Interests", "Text", isRecordMultipleResponses=True)
    with client(fake) as http:
        body = {"email": "a@example.jp", "Interests__c": "A"}
        assert http.post(f"{PROSPECTS}?fields=Interests__c", json=body).json() == {"Interests__c": ["A"]}
    with pytest.raises(ValueError, match="Colour"):
        fake.add_field("x", "Colour")


# ---- what happens at the vendor: ae-merge, ae-recycle ------------------------------------------------


def test_a_merge_fills_the_winners_blanks_moves_what_the_loser_had_and_bins_the_loser(fake: FakeAccountEngagement):
    winner = fake.put("prospect", email="a@example.jp", city="東京")
    loser = fake.put("prospect", email="b@example.jp", city="大阪", phone="06-1", salesforceId="00Q5i000000AAAAAAA")
    both, one = fake.put("list", name="both"), fake.put("list", name="one")
    for prospect, list_id in ((winner, both), (loser, both), (loser, one)):
        fake.put("list_membership", prospectId=prospect, listId=list_id)
    fake.put("visitor_activity", prospectId=loser, type=4)
    with client(fake) as http:
        http.post(f"{PROSPECTS}/{loser}/do/addTag", json={"tagName": "重要"})
    fake.merge(winner, loser)
    (row,) = fake.rows("prospect")
    assert (row["id"], row["city"], row["phone"], row["email"]) == (winner, "東京", "06-1", "a@example.jp")
    assert row["salesforceLeadId"] == "00Q5i000000AAAAAAA"
    assert [row["id"] for row in fake.rows("prospect", deleted=True)] == [winner, loser]
    assert [(row["listId"], row["prospectId"]) for row in fake.rows("list_membership")] == [(1, 1), (1, 2), (2, 1)]
    assert [row["prospectId"] for row in fake.rows("visitor_activity")] == [1]
    assert [row["objectId"] for row in fake.rows("tagged_object")] == [1]
    assert {(write.kind, write.verb) for write in fake.ledger if write.request == 0} == {
        ("prospect", "update"),
        ("prospect", "delete"),
        ("list_membership", "update"),
        ("visitor_activity", "update"),
        ("tagged_object", "update"),
    }


def test_what_cannot_be_merged_or_restored_is_an_error(fake: FakeAccountEngagement):
    id = fake.put("prospect", email="a@example.jp")
    with pytest.raises(ValueError, match="itself"):
        fake.merge(id, id)
    with pytest.raises(KeyError):
        fake.merge(id, "99")
    with pytest.raises(KeyError):
        fake.undelete("prospect", id)


def test_an_activity_knows_what_its_number_is_called(fake: FakeAccountEngagement):
    fake.put("visitor_activity", type=11)
    with client(fake) as http:
        path = "/objects/visitor-activities?fields=type,typeName"
        assert http.get(path).json()["values"] == [{"type": 11, "typeName": "Open"}]
