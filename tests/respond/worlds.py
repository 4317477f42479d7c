"""The fakes as strangers find them: with a few records, the credentials, and what stands for the parts of addresses."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import attrs
import httpx

from crmbridge.testing.fakes.account_engagement import FakeAccountEngagement
from crmbridge.testing.fakes.digima import FakeDigima
from crmbridge.testing.fakes.kengaku import FakeKengaku
from crmbridge.testing.fakes.salesforce import FakeSalesforce
from crmbridge.testing.server import FakeServer

SF, AE = "/services/data/{version}", "/api/v5/objects"
METHODS = ("get", "post", "put", "patch", "delete", "options")


def noon():
    return datetime(2026, 11, 21, 3, tzinfo=UTC)


@attrs.frozen
class World:
    """One fake, and how to call it."""

    fake: FakeServer
    headers: dict[str, str]
    parts: dict[str, tuple[str, ...]]
    """What can stand in an address, by the name of the part; the first is good."""
    ids: tuple[str, ...] = ()
    sound: Mapping[str, tuple[str, str]] = attrs.field(factory=dict)
    """A query and a body that are taken, by method and path, where what fits the description is not enough."""

    def operations(self):
        """Give every described operation: its path, its method, itself with the parameters of its path."""
        for path, held in self.fake.description()["paths"].items():
            for method in METHODS:
                if method in held:
                    shared = held.get("parameters", [])
                    yield path, method, {**held[method], "parameters": [*shared, *held[method].get("parameters", [])]}

    def address(self, path, **parts):
        """Fill in a path, with what is good unless told otherwise."""
        filled = path
        for name in [part.partition("}")[0] for part in path.split("{")[1:]]:
            filled = filled.replace(f"{{{name}}}", quote(parts.get(name, self.known(path, name)[0]), safe=""))
        return filled

    def known(self, path, name):
        """Give what can stand in this part of this address."""
        return self.parts.get(f"{path}#{name}") or self.parts.get(name, ("x",))

    def request(self, method, path, *, content=b"", kind="", query=None, headers=None):
        """Make a request with the credentials."""
        given = {**self.headers, **({"Content-Type": kind} if kind else {}), **(headers or {})}
        url = httpx.URL("https://here.example" + path, params=query) if query else "https://here.example" + path
        return httpx.Request(method.upper(), url, headers=given, content=content)

    def ask(self, method, path, **given):
        return self.fake.exchange(self.request(method, path, **given))


def salesforce():
    fake = FakeSalesforce(now=noon, page_size=1)
    account = fake.put("Account", Name="Acme")
    lead = fake.put("Lead", LastName="佐藤", Company="Acme", Ext_Id__c="e1", AnnualRevenue=5.0, Interests__c="Product")
    contact = fake.put("Contact", LastName="Doi", AccountId=account)
    gone = fake.put("Lead", LastName="gone", Company="Acme")
    fake.remove("Lead", gone)
    fake.put("Lead", LastName="Abe", Company="Acme", Email="abe@x.example")
    held = fake.credentials
    headers = {"Authorization": f"Bearer {held['token']}"}
    base = "/services/data/v67.0"
    world = World(fake, headers, {})

    def told(method, path, body):
        return world.ask(method, base + path, content=json.dumps(body).encode(), kind="application/json").json()

    locator = world.ask("get", base + "/query?q=SELECT+Id+FROM+Lead").json()["nextRecordsUrl"].rpartition("/")[2]
    ingest, loaded = (told("post", "/jobs/ingest", {"operation": "insert", "object": "Lead"})["id"] for _ in "ab")
    world.ask("put", f"{base}/jobs/ingest/{loaded}/batches", content=b"LastName\nx\n")
    told("patch", f"/jobs/ingest/{loaded}", {"state": "Aborted"})
    query = told("post", "/jobs/query", {"operation": "query", "query": "SELECT Id FROM Lead"})["id"]
    # From here on jobs take an hour, so that these two are still waiting.
    fake.jobs.delay = timedelta(hours=1)
    waiting = told("post", "/jobs/query", {"operation": "query", "query": "SELECT Id FROM Lead"})["id"]
    closed = told("post", "/jobs/ingest", {"operation": "insert", "object": "Lead"})["id"]
    told("patch", f"/jobs/ingest/{closed}", {"state": "UploadComplete"})
    form = b"grant_type=client_credentials&client_id=%s&client_secret=%s"
    form %= (held["client_id"].encode(), held["client_secret"].encode())
    who = world.ask("post", "/services/oauth2/token", content=form).json()["id"]
    organization, user = who.rpartition("/id/")[2].split("/")
    parts = {
        "version": ("v67.0", "v31.0", "v99.0", "v1.0", "v67"),
        "object": ("Lead", "Contact", "Account", "Task", "lead", "Nope", "User", "Organization"),
        "id": (lead, contact, account, gone, lead[:15], "bad", "00Q000000000009AAA"),
        "field": ("Ext_Id__c", "Email", "Id", "Nope"),
        "value": ("e1", "a/b", "new", "😀", " "),
        "locator": (locator, "01g5g0000000009AAA-1"),
        "organization": (organization, user),
        "user": (user, organization),
    }
    for path in fake.description()["paths"]:
        if "/jobs/" in path:
            jobs = {"query/{id}": waiting, "results": query, "ingest/{id}": closed, "batches": ingest}
            one = next((id for end, id in jobs.items() if path.endswith(end)), loaded)
            parts[f"{path}#id"] = (one, ingest, loaded, query, closed, waiting, lead)
    return attrs.evolve(
        world, parts=parts, ids=(lead, contact, account, user, gone), sound=_sound(form, lead, fake.auth)
    )


def _sound(form, lead, auth):
    agreed = f"response_type=code&redirect_uri=https://a.example&{form.decode()}"
    found = {
        "post /services/oauth2/token": ("", form.decode()),
        "get /services/oauth2/authorize": (agreed, ""),
        "post /services/oauth2/authorize": ("", agreed),
        "get /services/oauth2/revoke": (f"token={auth.open()}", ""),
        "post /services/oauth2/revoke": ("", f"token={auth.refresh_token}"),
        "post /services/oauth2/introspect": ("", f"token=x&{form.decode()}"),
        f"delete {SF}/composite/sobjects": (f"ids={lead}", ""),
    }
    for path in ("u/{version}", "c/{version}", "u/{version}/{organization}", "c/{version}/{organization}"):
        head = "<e:Envelope><e:Header><sessionId>{}</sessionId></e:Header><e:Body><logout/></e:Body></e:Envelope>"
        found[f"post /services/Soap/{path}"] = ("", head)
    for name in ("query", "queryAll"):
        found[f"get {SF}/{name}"] = ("q=SELECT+Id,LastName+FROM+Lead", "")
    found[f"get {SF}/search"] = ("q=FIND+{Acme}+RETURNING+Lead(Id)", "")
    for name in ("updated", "deleted"):
        window = "start=2026-11-20T00:00:00Z&end=2026-11-21T23:00:00Z"
        found[f"get {SF}/sobjects/{{object}}/{name}"] = (window, "")
    found[f"get {SF}/composite/sobjects/{{object}}"] = (f"ids={lead}&fields=Id,LastName", "")
    part = f'{{"method":"GET","url":"/services/data/v67.0/sobjects/Lead/{lead}","referenceId":"r"}}'
    record = '{"attributes":{"type":"Lead"},"LastName":"Abe","Company":"Acme"}'
    bodies = {
        "composite": f'{{"compositeRequest":[{part}]}}',
        "composite/batch": '{"batchRequests":[{"method":"GET","url":"v67.0/limits"}]}',
        "composite/sobjects": f'{{"records":[{record}]}}',
        "composite/sobjects/{object}": f'{{"ids":["{lead}"],"fields":["Id"]}}',
        "sobjects/{object}": '{"LastName":"Abe","Company":"Acme"}',
        "jobs/ingest": '{"operation":"insert","object":"Lead"}',
        "jobs/query": '{"operation":"query","query":"SELECT Id FROM Lead"}',
    }
    found |= {f"post {SF}/{path}": ("", body) for path, body in bodies.items()}
    for method, path in (("patch", "jobs/ingest/{id}"), ("patch", "jobs/query/{id}")):
        found[f"{method} {SF}/{path}"] = ("", '{"state":"Aborted"}')
    for path in ("sobjects/{object}/{id}", "sobjects/{object}/{field}/{value}"):
        found |= {f"{method} {SF}/{path}": ("", '{"Title":"CEO"}') for method in ("patch", "post")}
    changed = f'{{"records":[{{"attributes":{{"type":"Lead"}},"Id":"{lead}","Title":"CEO"}}]}}'
    found[f"patch {SF}/composite/sobjects"] = ("", changed)
    upserted = '{"records":[{"attributes":{"type":"Lead"},"Ext_Id__c":"e1","Title":"CEO"}]}'
    found[f"patch {SF}/composite/sobjects/{{object}}/{{field}}"] = ("", upserted)
    return found


def account_engagement():
    fake = FakeAccountEngagement(now=noon, read_lag=0)
    fake.add_field("Rank", "Text")
    fake.add_field("Several", "Multi-Select")
    fake.put("campaign", name="spring")
    for n in range(3):
        fake.put("prospect", email=f"n{n}@x.example", lastName=f"n{n}", campaignId=1)
    for kind, values in (("list", {"name": "a"}), ("tag", {"name": "t"}), ("prospect_account", {"name": "Acme"})):
        fake.put(kind, **values)
    fake.put("opportunity", name="deal")
    fake.put("list_membership", listId=1, prospectId=1)
    fake.remove("prospect", "3")
    for type_ in ("prospect", "opportunity", "campaign", "user", "list", "customField"):
        fake.put("tagged_object", tagId=1, objectType=type_, objectId=1)
    fake.put("visitor_activity", type=1, prospectId=1)
    headers = {
        "Authorization": f"Bearer {fake.credentials['token']}",
        "Pardot-Business-Unit-Id": fake.credentials["business_unit_id"],
    }
    held = fake.credentials
    form = f"grant_type=client_credentials&client_id={held['client_id']}&client_secret={held['client_secret']}"
    sound = {
        "post /services/oauth2/token": ("", form),
        f"get {AE}/account": ("fields=id,level", ""),
        f"post {AE}/prospects": ("fields=id,email", '{"email":"new@x.example"}'),
        f"post {AE}/prospects/do/upsertLatestByEmail": ("", '{"matchEmail":"n0@x.example","prospect":{"city":"x"}}'),
        f"post {AE}/prospects/do/undelete": ("", '{"matchEmail":"n2@x.example"}'),
        f"post {AE}/list-memberships": ("", '{"listId":1,"prospectId":2}'),
        f"post {AE}/tags": ("", '{"name":"new"}'),
        f"post {AE}/custom-fields": ("", '{"name":"New","fieldId":"New","type":"Number"}'),
    }
    for path in ("prospects", "opportunities", "campaigns", "users", "lists", "custom-fields"):
        for action, body in (("addTag", '{"tagName":"new"}'), ("removeTag", '{"tagId":1}')):
            sound[f"post {AE}/{path}/{{id}}/do/{action}"] = ("", body)
    return World(fake, headers, {"id": ("1", "2", "9", "0", "x", "-1")}, sound=sound)


def digima():
    fake = FakeDigima(now=noon)
    fake.put("custom_field", label="計画", code="plan", type="テキスト")
    entry = base64.b64encode(f"{fake.account_code}-{fake.credentials['form_code']}".encode()).decode()
    return World(fake, {"Authorization": entry}, {})


def kengaku():
    fake = FakeKengaku(now=noon)
    fake.put("field", label="ご計画", code="plan")
    ids = {kind: fake.put(kind, name="来場予約会") for kind in ("event", "inquiry_form", "document_request_form")}
    return World(fake, {}, {f"/{kind}/{{id}}#id": (id, "event-9", "x") for kind, id in ids.items()})


WORLDS = {"salesforce": salesforce, "account-engagement": account_engagement, "digima": digima, "kengaku": kengaku}
