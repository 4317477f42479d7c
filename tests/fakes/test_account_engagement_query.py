"""Queries of the Account Engagement fake: filters, order, pages, and walks that nothing disturbs (ae-v5, ae-errors)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement

NOON = datetime(2026, 11, 21, 3, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.at = NOON + timedelta(milliseconds=400)

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


def query(
    http: httpx.Client, path: str = "/objects/prospects", fields: str = "id", **parameters: Any
) -> httpx.Response:
    return http.get(path, params={"fields": fields, **parameters})


def ids(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["values"]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock) -> FakeAccountEngagement:
    """Five prospects, a minute between each and the next."""
    fake = FakeAccountEngagement(now=clock, read_lag=0)
    for number in range(1, 6):
        fake.put("prospect", email=f"p{number}@example.jp", score=10 * number, city="東京" if number % 2 else "Osaka")
        clock.go(60)
    return fake


# ---- pages: ae-v5 -------------------------------------------------------------------------------


def test_a_page_has_values_and_no_token_when_it_is_the_last(fake: FakeAccountEngagement):
    with client(fake) as http:
        assert query(http, limit=5).json() == {
            "nextPageToken": None,
            "nextPageUrl": None,
            "values": [{"id": number} for number in range(1, 6)],
        }


def test_the_next_page_lies_under_the_address_by_which_the_client_came(fake: FakeAccountEngagement):
    with fake.serve() as base:
        headers = dict(client(fake).headers)
        first = httpx.get(f"{base}/api/v5/objects/prospects?fields=id,email&limit=2", headers=headers).json()
        assert first["nextPageUrl"].startswith(f"{base}/api/v5/objects/prospects?fields=id,email&nextPageToken=")
        second = httpx.get(first["nextPageUrl"], headers=headers).json()
        assert [row["email"] for row in second["values"]] == ["p3@example.jp", "p4@example.jp"]
        third = httpx.get(second["nextPageUrl"], headers=headers).json()
        assert (third["values"], third["nextPageToken"]) == ([{"id": 5, "email": "p5@example.jp"}], None)


def test_200_records_come_when_no_limit_is_said_and_1000_at_most(fake: FakeAccountEngagement):
    for number in range(1000):
        fake.put("prospect", email=f"more{number}@example.jp")
    with client(fake) as http:
        assert [len(ids(query(http))), len(ids(query(http, limit=1000)))] == [200, 1000]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "", "1e3", "٣", "9" * 30])
def test_another_limit_is_refused(fake: FakeAccountEngagement, limit: str):
    with client(fake) as http:
        assert query(http, limit=limit).json()["code"] == 23


def test_an_offset_up_to_2000_still_works(fake: FakeAccountEngagement):
    with client(fake) as http:
        assert ids(query(http, offset=3)) == [4, 5]
        assert query(http, offset=2001).json()["code"] == 21


def test_only_fields_may_come_with_a_page_token_and_they_may_be_others(fake: FakeAccountEngagement):
    with client(fake) as http:
        token = query(http, limit=2).json()["nextPageToken"]
        refused = query(http, limit=2, nextPageToken=token)
        assert (refused.status_code, refused.json()["code"]) == (400, 5)
        assert http.get("/objects/prospects", params={"nextPageToken": token}).json()["code"] == 13
        answer = query(http, fields="score", nextPageToken=token)
        assert answer.json()["values"] == [{"score": 30}, {"score": 40}]


def test_a_record_that_is_deleted_while_a_walk_is_under_way_is_left_out(fake: FakeAccountEngagement):
    with client(fake) as http:
        after = query(http, limit=2).json()["nextPageUrl"]
        fake.remove("prospect", "3")
        assert ids(http.get(after)) == [4]


def test_the_same_token_gives_the_same_page_again(fake: FakeAccountEngagement):
    with client(fake) as http:
        token = query(http, limit=2).json()["nextPageToken"]
        assert query(http, nextPageToken=token).json() == query(http, nextPageToken=token).json()


def test_a_token_is_good_for_four_hours(fake: FakeAccountEngagement, clock: Clock):
    with client(fake) as http:
        token = query(http, limit=2).json()["nextPageToken"]
        clock.go(4 * 3600)
        assert ids(query(http, nextPageToken=token)) == [3, 4]
        clock.go(1)
        late = query(http, nextPageToken=token)
        assert (late.status_code, late.json()["code"]) == (400, 210)


@pytest.mark.parametrize("token", ["", "x", "MS4yLjM=", "日本", "a" * 5000, "\x00", "====", "MS4xLjEuMQ=="])
def test_a_token_that_was_never_given_is_refused_with_code_211(fake: FakeAccountEngagement, token: str):
    with client(fake) as http:
        assert query(http, nextPageToken=token).json()["code"] == 211


def test_a_token_of_one_object_is_not_good_for_another(fake: FakeAccountEngagement):
    with client(fake) as http:
        token = query(http, limit=2).json()["nextPageToken"]
        assert query(http, "/objects/lists", nextPageToken=token).json()["code"] == 211


def test_a_walk_ends_with_a_warning_where_the_tokens_end():
    """100,000 records by the page; fewer here, so that the test is quick."""
    fake = FakeAccountEngagement(farthest=4)
    for number in range(5):
        fake.put("prospect", email=f"p{number}@example.jp")
    with client(fake) as http:
        first = query(http, limit=3)
        assert "pardot-warning" not in first.headers
        last = http.get(first.json()["nextPageUrl"])
    assert (ids(last), last.json()["nextPageToken"]) == ([4], None)
    assert last.headers["pardot-warning"].startswith("203;")


def test_a_page_may_lack_records_by_a_fault_and_says_so(fake: FakeAccountEngagement):
    fake.faults.add("F17:1")
    with client(fake) as http:
        short = query(http)
        assert (ids(short), short.headers["pardot-warning"][:4]) == ([1, 3, 5], "202;")
        assert ids(query(http)) == [1, 2, 3, 4, 5]


def test_a_page_token_expires_by_a_fault(fake: FakeAccountEngagement):
    fake.faults.add("F18:1")
    with client(fake) as http:
        after = query(http, limit=2).json()["nextPageUrl"]
        assert [http.get(after).status_code for _ in range(2)] == [400, 200]


# ---- order and filters: ae-v5, T:airbyte-pardot --------------------------------------------------


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("id", [1, 2, 3, 4, 5]),
        ("id DESC", [5, 4, 3, 2, 1]),
        ("updatedAt desc", [5, 4, 3, 2, 1]),
        ("city ASC,score DESC", [4, 2, 5, 3, 1]),
        ("city", [2, 4, 1, 3, 5]),
    ],
)
def test_the_order_is_the_one_asked_for(fake: FakeAccountEngagement, order: str, expected: list[int]):
    with client(fake) as http:
        assert ids(query(http, orderBy=order)) == expected


def test_blanks_come_first_and_equal_values_stay_in_the_order_of_ids(fake: FakeAccountEngagement):
    fake.put("prospect", email="x@example.jp")
    with client(fake) as http:
        assert ids(query(http, orderBy="city")) == [6, 2, 4, 1, 3, 5]


@pytest.mark.parametrize(("order", "code"), [("nonsense", 19), ("id SIDEWAYS", 20), ("password", 19), ("a.b", 19)])
def test_another_order_is_refused(fake: FakeAccountEngagement, order: str, code: int):
    with client(fake) as http:
        assert query(http, orderBy=order).json()["code"] == code


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        ("", [3]),
        ("After", [4, 5]),
        ("AfterOrEqualTo", [3, 4, 5]),
        ("Before", [1, 2]),
        ("BeforeOrEqualTo", [1, 2, 3]),
    ],
)
@pytest.mark.parametrize("field", ["createdAt", "updatedAt"])
def test_moments_are_compared_in_whole_seconds(
    fake: FakeAccountEngagement, field: str, suffix: str, expected: list[int]
):
    with client(fake) as http:
        for moment in ("2026-11-21T12:02:00+09:00", "2026-11-21T03:02:00Z", "2026-11-21T03:02:00.900+00:00"):
            assert ids(query(http, **{f"{field}{suffix}": moment})) == expected


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        ("", [3]),
        ("GreaterThan", [4, 5]),
        ("GreaterThanOrEqualTo", [3, 4, 5]),
        ("LessThan", [1, 2]),
        ("LessThanOrEqualTo", [1, 2, 3]),
    ],
)
def test_numbers_are_compared(fake: FakeAccountEngagement, suffix: str, expected: list[int]):
    with client(fake) as http:
        assert ids(query(http, **{f"id{suffix}": "3"})) == expected


def test_an_address_is_found_without_regard_to_case_and_may_be_held_by_several(fake: FakeAccountEngagement):
    fake.put("prospect", email="P3@EXAMPLE.jp")
    with client(fake) as http:
        assert ids(query(http, email="p3@example.JP")) == [3, 6]


def test_a_plus_sign_that_was_not_encoded_makes_the_moment_wrong(fake: FakeAccountEngagement):
    with client(fake) as http:
        answer = http.get("/objects/prospects?fields=id&updatedAtAfter=2026-11-21T12:00:00+09:00")
        assert answer.json()["code"] == 57
        answer = http.get("/objects/prospects?fields=id&updatedAtAfter=2026-11-21T12:00:00%2B09:00")
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"nonsense": "1"}, 5),
        ({"score": "10"}, 5),
        ({"campaignId": "1"}, 5),
        ({"emailAfter": "x"}, 5),
        ({"idAfter": "2026-11-21T12:00:00Z"}, 5),
        ({"id": "x"}, 16),
        ({"idGreaterThan": "1 OR 1=1"}, 16),
        ({"createdAt": "yesterday"}, 57),
        ({"createdAt": "2026-13-45T99:00:00Z"}, 57),
        ({"createdAt": "0001-01-01T00:00:00+23:00"}, 57),
        ({"createdAt": "2026-11-21"}, 57),
        ({"deleted": "maybe"}, 27),
        ({"assignedToId": "x"}, 56),
    ],
)
def test_another_filter_is_refused(fake: FakeAccountEngagement, parameters: dict[str, str], code: int):
    with client(fake) as http:
        answer = query(http, **parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_three_fields_may_be_filtered_and_a_window_counts_once(fake: FakeAccountEngagement):
    window = {"updatedAtAfterOrEqualTo": "2026-01-01T00:00:00Z", "updatedAtBefore": "2027-01-01T00:00:00Z"}
    three = {**window, "idGreaterThan": "1", "email": "p2@example.jp"}
    with client(fake) as http:
        assert ids(query(http, **three)) == [2]
        too_many = query(http, **three, salesforceId="00Q5i000000AAAAAAA")
        assert (too_many.status_code, too_many.json()["code"]) == (400, 209)


def test_deleted_records_are_queried_by_saying_so(fake: FakeAccountEngagement):
    fake.remove("prospect", "2")
    with client(fake) as http:
        assert ids(query(http)) == ids(query(http, deleted="false")) == [1, 3, 4, 5]
        assert query(http, fields="id,isDeleted", deleted="true").json()["values"] == [{"id": 2, "isDeleted": True}]
        assert ids(query(http, deleted="all")) == [1, 2, 3, 4, 5]


def test_an_object_without_a_recycle_bin_takes_no_deleted(fake: FakeAccountEngagement):
    with client(fake) as http:
        assert query(http, "/objects/tags", deleted="all").json()["code"] == 5


def test_accounts_are_walked_by_id_since_they_cannot_be_polled_by_change(fake: FakeAccountEngagement):
    for number in range(3):
        fake.put("prospect_account", name=f"株式会社{number}")
    with client(fake) as http:
        path = "/objects/prospect-accounts"
        assert query(http, path, updatedAtAfter="2026-01-01T00:00:00Z").json()["code"] == 5
        assert ids(query(http, path, orderBy="id ASC", idGreaterThan="1")) == [2, 3]


def test_a_prospect_is_found_by_its_owner_in_either_system(fake: FakeAccountEngagement):
    user = fake.put("user", email="sales@example.jp", salesforceId="0055i000000SaleAAA")
    fake.edit("prospect", "4", assignedToId=user)
    with client(fake) as http:
        owners = ({"assignedToId": user}, {"userId": user}, {"salesforceOwnerId": "0055i000000SaleAAA"})
        assert [ids(query(http, **owner)) for owner in owners] == [[4]] * 3


def test_the_pattern_of_a_live_client_sees_each_change_once(fake: FakeAccountEngagement, clock: Clock):
    """The incremental read that T:airbyte-pardot shows: a window on updatedAt, in its order, the bin included."""
    fake.edit("prospect", "1", city="札幌")
    fake.remove("prospect", "2")
    window = {
        "updatedAtAfterOrEqualTo": "2026-11-21T12:05:00+09:00",
        "updatedAtBeforeOrEqualTo": "2026-11-21T12:06:00+09:00",
    }
    with client(fake) as http:
        answer = query(http, orderBy="updatedAt ASC", deleted="all", **window)
    assert ids(answer) == [1, 2]


@given(
    changed=st.lists(st.tuples(st.integers(1, 8), st.integers(-100, 100)), max_size=30),
    since=st.integers(-100, 100),
)
@settings(max_examples=60, deadline=None)
def test_a_query_by_change_finds_what_a_look_at_every_record_finds(changed: list[tuple[int, int]], since: int):
    """Also when the clock goes back and forth."""
    clock = Clock()
    fake = FakeAccountEngagement(now=clock, read_lag=0)
    stamps = {int(fake.put("prospect", email=f"p{number}@example.jp")): 0 for number in range(1, 9)}
    for id, second in changed:
        clock.at = NOON + timedelta(seconds=second)
        fake.edit("prospect", str(id), city="x")
        stamps[id] = second
    with client(fake) as http:
        moment = (NOON + timedelta(seconds=since)).isoformat()
        found = ids(query(http, updatedAtAfterOrEqualTo=moment))
    assert found == [id for id, second in stamps.items() if second >= since]


ACTS = st.lists(
    st.tuples(st.sampled_from(["edit", "remove", "create", "go"]), st.integers(1, 25), st.integers(0, 3)), max_size=40
)


@given(acts=ACTS, order=st.sampled_from(["id ASC", "id DESC", "updatedAt ASC", "score DESC"]), limit=st.integers(1, 7))
@settings(max_examples=150, deadline=None)
def test_a_walk_shows_no_record_twice_and_skips_none_that_is_there_throughout(
    acts: list[tuple[str, int, int]], order: str, limit: int
):
    clock = Clock()
    fake = FakeAccountEngagement(now=clock)
    for number in range(1, 26):
        fake.put("prospect", email=f"p{number}@example.jp", score=number % 4)
    removed: set[int] = set()
    seen: list[int] = []
    with client(fake) as http:
        answer = query(http, limit=limit, orderBy=order).json()
        while True:
            seen += [row["id"] for row in answer["values"]]
            for act, id, page in acts:
                if page == len(seen) % 4:
                    _act(fake, clock, act, id, removed)
            if not answer["nextPageUrl"]:
                break
            answer = http.get(answer["nextPageUrl"]).json()
    assert len(seen) == len(set(seen))
    assert set(range(1, 26)) - removed <= set(seen) <= set(range(1, 26))


def _act(fake: FakeAccountEngagement, clock: Clock, act: str, id: int, removed: set[int]) -> None:
    if act == "go":
        clock.go(30)
    elif act == "create":
        fake.put("prospect", email=f"new{clock.at.timestamp()}@example.jp")
    elif id not in removed:
        if act == "edit":
            fake.edit("prospect", str(id), score=id)
        else:
            removed.add(id)
            fake.remove("prospect", str(id))


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["read", "query", "edit", "remove", "undelete", "go"]),
            st.integers(1, 3),
            st.integers(0, 90),
        ),
        max_size=40,
    )
)
@settings(max_examples=150, deadline=None)
def test_what_readers_see_was_true_within_the_last_minute_and_never_goes_back(steps: list[tuple[str, int, int]]):
    clock = Clock()
    fake = FakeAccountEngagement(now=clock)
    truths: dict[int, list[tuple[datetime, str | None]]] = {
        int(fake.put("prospect", email=f"p{number}@example.jp", city="0")): [(clock.at, "0")] for number in (1, 2, 3)
    }
    reached = dict.fromkeys(truths, 0)
    with client(fake) as http:
        for at, (act, id, seconds) in enumerate(steps, 1):
            history = truths[id]
            there = history[-1][1] is not None
            if act == "go":
                clock.go(seconds)
            elif act == "edit" and there:
                fake.edit("prospect", str(id), city=str(at))
                history.append((clock.at, str(at)))
            elif act == "remove" and there:
                fake.remove("prospect", str(id))
                history.append((clock.at, None))
            elif act == "undelete" and not there:
                fake.undelete("prospect", str(id))
                city = next(city for _, city in reversed(history) if city is not None)
                history.append((clock.at, city))
            elif act in ("read", "query"):
                shown = _city(http, act, id)
                until = [moment for moment, _ in history[1:]] + [None]
                possible = [
                    number
                    for number, ((_, city), end) in enumerate(zip(history, until, strict=True))
                    if city == shown
                    and number >= reached[id]
                    and (end is None or (clock.at - end).total_seconds() < 60)
                ]
                assert possible
                reached[id] = possible[0]


def _city(http: httpx.Client, act: str, id: int) -> str | None:
    if act == "read":
        return query(http, f"/objects/prospects/{id}", "city").json().get("city")
    found = query(http, fields="city", id=str(id)).json()["values"]
    return found[0]["city"] if found else None
