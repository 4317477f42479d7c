"""The connector of "Write an adapter" keeps the laws of connectors, and takes no error for a record."""

import json

import httpx
import pytest

from crmbridge.errors import NotAllowed, Refused
from crmbridge.model import RecordRef
from crmbridge.testing import Hand, KindUnderTest, conformance
from crmbridge.testing.sim import SimDriver

from .test_blocks import ROOT, blocks, run_python

PAGE = ROOT / "docs" / "howto" / "write-an-adapter.md"
HOME = "https://api.acme.example"


FIELDS = {"email": 100, "phone": 20, "origin_key": 100}


class Contacts:
    """The service that the page speaks of: its revision counts up over all contacts."""

    def __init__(self):
        self.rows, self.revision, self.writes, self.lost = {}, 0, 0, 0

    def __call__(self, request):
        if request.url.path == "/v2/contacts":
            return self.listed(dict(request.url.params))
        if request.url.path == "/v2/contacts/batch":
            results = [self.written(one) for one in json.loads(request.content)["contacts"]]
            if self.lost:
                self.lost -= 1
                raise httpx.ReadTimeout("the answer is lost", request=request)
            return told({"results": results})
        row = self.rows.get(request.url.path.rpartition("/")[2])
        return told({"error": "not_found"}, 404) if row is None else told(row)

    def listed(self, asked):
        after, limit = int(asked.pop("after", "0")), int(asked.pop("limit"))
        found = [
            row
            for row in sorted(self.rows.values(), key=lambda row: row["revision"])
            if row["revision"] > after and all(row.get(name) == value for name, value in asked.items())
        ]
        return told({"contacts": found[:limit], "more": len(found) > limit})

    def written(self, values):
        id = values.pop("id", str(len(self.rows) + 1))
        if not values.keys() <= FIELDS.keys():
            return {"error": "unknown_field"}
        if any(len(value or "") > FIELDS[name] for name, value in values.items()):
            return {"error": "too_long"}
        if values.get("email") and values["email"].count("@") != 1:
            return {"error": "no_address"}
        self.writes += 1
        self.revision += 1
        self.rows[id] = {**(self.rows.get(id) or dict.fromkeys(FIELDS)), **values, "id": id, "revision": self.revision}
        return self.rows[id]

    def lose(self):
        self.lost = 1


def told(body, status=200):
    # In ASCII, as half a character can be written too.
    return httpx.Response(status, content=json.dumps(body), headers={"content-type": "application/json"})


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for block in blocks(PAGE.read_text("utf-8")):
        if block.language == "python":
            run_python(block, PAGE, namespace)
    return namespace


def driver(service):
    return SimDriver(transports={HOME: httpx.MockTransport(service)})


def test_the_connector_of_the_page_breaks_no_law(page):
    service = Contacts()
    hand = Hand(
        put=lambda values: RecordRef("acme", "contact", service.written(dict(values))["id"]),
        edit=lambda ref, values: service.written({**values, "id": ref.id}),
        lose_answer=service.lose,
        writes=lambda: service.writes,
    )
    kind = KindUnderTest("contact", text="phone", hand=hand, secrets=("t0ken",), page=250)
    report = conformance(page["acme"], driver(service), kind)
    assert report.of("broken") == [], str(report)
    assert "a_lost_answer_is_told" in {verdict.law for verdict in report.of("held")}


@pytest.mark.parametrize(("status", "error"), [(401, NotAllowed), (403, NotAllowed), (422, Refused)])
def test_an_error_is_no_contact(page, status, error):
    hands = driver(lambda _: httpx.Response(status, json={"id": "7", "error": "no"}))
    with pytest.raises(error):
        hands.run(page["contact"](page["ACME"], "7"))


def test_a_contact_that_is_not_found_is_none(page):
    assert driver(Contacts()).run(page["contact"](page["ACME"], "7")) is None
