"""Answers that have nothing to do with what was asked: any status, any body. Only declared errors rise."""

import httpx

from crmbridge.adapters.account_engagement import AccountEngagement
from crmbridge.adapters.salesforce import Salesforce
from crmbridge.errors import AdapterError
from crmbridge.model import Query, RecordRef
from crmbridge.testing.sim import SimDriver

STATUSES = (200, 200, 201, 204, 300, 400, 401, 403, 404, 409, 412, 429, 500, 503)
SEEDS = (
    b'\x00{"records": [{"Id": "00Q5g0000000001EAA"}], "done": true}', b"\x00[]", b'\x05[{"errorCode": 1}]',
    b'\x00{"values": [{"id": 1}], "nextPageUrl": 7}', b'\x05{"code": [], "message": null}', b"\x0c<html>",
)  # fmt: skip
OWN = "https://own.example"


def target(data):
    status, body = STATUSES[data[0] % len(STATUSES)] if data else 200, data[1:]

    def answer(request):
        if request.url.path.endswith("token"):
            return httpx.Response(200, json={"access_token": "t"})
        return httpx.Response(status, content=body, headers={"content-type": "application/json"})

    salesforce = Salesforce.connect(OWN, "client", "secret")
    unit = AccountEngagement.connect(
        OWN, token_url=f"{OWN}/token", client_id="client", client_secret="secret", business_unit_id="0Uv5g0000000001CAA"
    )
    ref = RecordRef("salesforce", "Lead", "00Q5g0000000001EAA")
    for ask in (
        lambda: salesforce.schema("Lead"),
        lambda: salesforce.read(Query("Lead", ("Id", "LastName"), None, 100)),
        lambda: salesforce.fetch([ref], ("LastName",)),
        lambda: unit.read(Query("prospect", ("email",), None, 100)),
        lambda: unit.fetch([RecordRef("account_engagement", "prospect", "1")], ("email",)),
    ):
        driver = SimDriver(transports={OWN: httpx.MockTransport(answer)})
        try:
            driver.run(ask())
        except AdapterError:
            continue
