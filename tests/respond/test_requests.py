"""Requests of strangers, made up from what a fake describes, and what must hold of every answer.

Nothing raises and nothing hangs. An answer has a described status, type and form; a refusal is in the vendor's form and
changed nothing; a write that was taken stands in the ledger once and can be read back.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmbridge.cli._fakes import names

REQUESTS = int(os.environ.get("CRMBRIDGE_REQUESTS", "50"))
"""Made up for each operation."""

PATIENCE = 2.0
"""Seconds of work for one request, many times what any of them needs."""

KINDS = ("Lead", "Contact", "Account", "Opportunity", "Task", "User", "lead", "Nope")
COLUMNS = ("Id", "LastName", "Company", "AnnualRevenue", "IsConverted", "CreatedDate", "Birthdate", "Interests__c",
           "Description", "Owner.Name", "Account.Owner.Email", "Nope", "Name", "OwnerId", "NumberOfEmployees")  # fmt: skip
LITERALS = ("'x'", "'%a_'", r"'\''", r"'\ud800'", r"'\u5c71'", "1", "-1.5", "1e999", "null", "TRUE", "2026-11-21", "TODAY", "LAST_N_DAYS:9999999",
            "2026-11-21T09:00:00Z", "2026-13-41", "9999-12-31T23:59:59-23:59", "'00Q5g0000000001EAA'", "()", "''", "'Product;Event'")  # fmt: skip
OPERATORS = ("=", "!=", "<", ">=", "LIKE", "IN", "NOT IN", "INCLUDES", "EXCLUDES")
FUNCTIONS = ("COUNT({})", "SUM({})", "AVG({})", "MIN({})", "MAX({}) m", "COUNT_DISTINCT({})", "FIELDS(ALL)", "COUNT()")


@st.composite
def conditions(draw, deep=0):
    shape = draw(st.integers(0, 5 if deep < 3 else 0))
    if shape < 4:
        column, operator = draw(st.sampled_from(COLUMNS)), draw(st.sampled_from(OPERATORS))
        literal = draw(st.sampled_from(LITERALS))
        if operator[-2:] == "IN" or operator.endswith("CLUDES"):
            inner = f"SELECT {draw(st.sampled_from(COLUMNS))} FROM {draw(st.sampled_from(KINDS))}"
            literal = f"({draw(st.sampled_from([literal, f'{literal}, null', inner]))})"
        return f"{column} {operator} {literal}"
    joined = draw(st.sampled_from([" AND ", " OR "]))
    parts = draw(st.lists(conditions(deep + 1), min_size=2, max_size=3))
    return ("NOT " if shape == 5 else "") + f"({joined.join(parts)})"


@st.composite
def queries(draw):
    """SOQL that is nearly right, or right."""
    columns = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=3))
    if draw(st.integers(0, 2)) == 0:
        columns.append(draw(st.sampled_from(FUNCTIONS)).format(draw(st.sampled_from(COLUMNS))))
    text = f"SELECT {', '.join(columns)} FROM {draw(st.sampled_from(KINDS))}"
    if draw(st.booleans()):
        text += f" WHERE {draw(conditions())}"
    if draw(st.integers(0, 3)) == 0:
        text += f" GROUP BY {draw(st.sampled_from(columns))}"
    if draw(st.integers(0, 2)) == 0:
        text += f" ORDER BY {draw(st.sampled_from(COLUMNS))} DESC NULLS LAST"
    return text + draw(
        st.sampled_from(["", "", " LIMIT 1", " LIMIT 0 OFFSET 2000", " OFFSET 9", " LIMIT ²", ";", "\0"])
    )


SEARCHES = st.sampled_from(
    [
        *(
            "FIND {a*}",
            "FIND {Acme} RETURNING Lead(Id, Nope)",
            "FIND {\\}} LIMIT 1",
            "FIND {}",
            "FIND {ab} IN X FIELDS",
        ),
        *(
            "FIND {((ab} RETURNING Lead",
            'FIND {ab OR (cd AND NOT "e?f")} RETURNING Lead(Id WHERE Title = null LIMIT 1)',
        ),
    ]
)


class Strangers:
    """Makes requests to one operation of a world, as described or nearly so."""

    def __init__(self, world, drawing, path, method, told):
        self.path, self.method, self.told = path, method, told
        self._drawing, self._shapes = drawing, drawing.Shapes(world.fake.description())
        self._sound = world.sound.get(f"{method} {path}")
        self._parameters = [(one, self._values(world, one)) for one in told["parameters"]]
        self._paths = [one["name"] for one in told["parameters"] if one["in"] == "path"]
        self._body = None
        for kind, held in told.get("requestBody", {}).get("content", {}).items():
            self._kind = kind
            names_ = [
                one.get("$ref", "").rpartition("/")[2].partition(".")[0] for one in held["schema"].get("anyOf", ())
            ]
            own = {name: self._shapes.values(held["schema"]["anyOf"][n], world.ids) for n, name in enumerate(names_)}
            self._own, self._body = own, self._shapes.values(held["schema"], world.ids)

    def _values(self, world, one):
        """Values for a parameter: those of the world, those that fit, and others."""
        name, shapes = one["name"], self._shapes
        fitting = shapes.values(one["schema"], world.ids).map(
            lambda held: held if isinstance(held, str) else json.dumps(held)
        )
        if name == "q":
            return SEARCHES if self.path.endswith("/search") else queries()
        if one["in"] == "path":
            known = world.known(self.path, name)
            return st.sampled_from([known[0]] * len(known) + list(known)) | fitting
        if name == "fields":
            return (
                st.sampled_from(
                    ["id"] * 6 + ["Id,LastName", "id,email,campaign.name", "a" * 300, ",,", "id.id", "values"]
                )
                | fitting
            )
        if name == "orderBy":
            return st.sampled_from(["id", "email DESC", "createdAt asc,id", "Rank__c", "id x"])
        if name in ("start", "end"):
            return (
                st.sampled_from(["2026-11-20T00:00:00Z", "2026-11-21T00:00:00+00:00", "9999-12-31T00:00:00Z"]) | fitting
            )
        return fitting

    @property
    def requests(self):
        """Give the strategy of the requests, each a function of the world that it is sent to."""

        @st.composite
        def drawn(draw):
            if self._sound and draw(st.integers(0, 2)) == 0:
                return self._straight
            given = {"path": {}, "query": {}, "header": {}}
            usual = draw(st.booleans())
            for one, values in self._parameters:
                if one["required"] if usual else one["required"] or draw(st.booleans()):
                    given[one["in"]][one["name"]] = draw(values)
            if usual:
                given["path"] = {}
            # A header is what an HTTP client can send.
            headers = {name: text.encode("ascii", "ignore").decode().strip() for name, text in given["header"].items()}
            headers = {name: text for name, text in headers.items() if text.isprintable()}
            content, kind = (
                (draw(self._contents(given["path"].get("object", "Lead"))), self._kind)
                if self._body is not None
                else (b"", "")
            )
            if content and not usual and draw(st.integers(0, 5)) == 0:
                kind = draw(
                    st.sampled_from(["", "text/plain", "application/json; charset=shift_jis", "application/xml"])
                )
            parts = {name: text or "x" for name, text in given["path"].items()}
            return lambda world: world.request(
                self.method,
                world.address(self.path, **parts),
                content=content,
                kind=kind,
                query=given["query"],
                headers=headers,
            )

        return drawn()

    def _straight(self, world):
        query, content = world.sound[f"{self.method} {self.path}"]
        kind = self._kind if self._body is not None else ""
        content = content.replace("{}", world.fake.credentials.get("token", "")).encode()
        return world.request(
            self.method, world.address(self.path) + (f"?{query}" if query else ""), content=content, kind=kind
        )

    @st.composite
    @staticmethod
    def _drawn(draw, values, type_, drawing):
        value = draw(values)
        if draw(st.integers(0, 2)) == 0:
            value = draw(drawing.garbled(value))
        if type_.endswith("urlencoded"):
            pairs = value.items() if isinstance(value, dict) else [("x", value)]
            return urlencode([(name, str(held)) for name, held in pairs], errors="replace").encode()
        text = json.dumps(value, ensure_ascii=draw(st.booleans()))
        if isinstance(value, dict) and draw(st.integers(0, 4)) == 0:
            return draw(st.sampled_from(sorted(drawing.spoiled(text).items())))[1]
        return text.encode("utf-8", "surrogatepass")

    def _contents(self, kind):
        if self._kind in ("text/csv", "text/xml"):
            return st.binary(max_size=30) | st.sampled_from(
                [b"LastName,Company\nx,y\n", b"Id\n00Q\n", b'a,"', b"<logout/>"]
            )
        return self._drawn(self._own.get(kind, self._body), self._kind, self._drawing)


def judged(world, shapes, told, request):
    """Send a request and say what does not hold of its answer; give the answer and what was written."""
    before = len(world.fake.ledger)
    began = time.process_time()
    answer = world.fake.exchange(request)
    assert time.process_time() - began < PATIENCE, "it takes too long"
    written = world.fake.ledger[before:]
    status = answer.status_code
    known = told["responses"].get(str(status)) or told["responses"].get(f"{status // 100}XX")
    assert known, f"{status} is no described answer: {answer.text[:300]}"
    content = known.get("content", {})
    if content:
        [(kind, held)] = content.items()
        assert answer.headers["content-type"].partition(";")[0] == kind
        if kind == "application/json":
            misfit = shapes.misfit(answer.json(), held["schema"])
            assert not misfit, f"{status} {misfit}"
    else:
        assert not answer.content, f"{status} has a body"
    if status >= 400:
        assert not written, "what was refused has written"
    if request.method == "GET" and "/jobs/" not in request.url.path:
        assert not written, "what only reads has written"
    twice = [key for key, count in Counter((w.verb, w.kind, w.id) for w in written).items() if count > 1]
    assert not twice or request.url.path.endswith(("/composite", "/batch")), f"written more than once: {twice}"
    return answer, written


def read_back(world, path, request, answer, written):
    """Hold what was taken against what is stored, and what is stored against what is read."""
    if answer.status_code >= 300 or not written:
        return
    if world.fake.name == "salesforce":
        root = "/services/data/v67.0/sobjects"
        for write in written:
            told = world.ask("get", f"{root}/{write.kind}/{write.id}")
            gone = world.fake.org.row_of(write.id) is None
            assert told.status_code == (404 if gone else 200), (write, told.text)
            stored = {row["Id"]: row for row in world.fake.rows(write.kind, deleted=True)}[write.id]
            assert gone or {name: told.json()[name] for name in write.values} == {
                name: stored[name] for name in write.values
            }
        if path.endswith("/sobjects/{object}") and request.method == "POST":
            sent, row = json.loads(request.content), world.fake.rows(written[0].kind)[-1]
            assert answer.json()["id"] == row["Id"] == written[0].id
            texts = {
                name: text
                for name, text in sent.items()
                if isinstance(text, str) and name in ("LastName", "Company", "Title", "Description", "Subject")
            }
            assert {name: row[name] for name in texts} == {name: text.strip() or None for name, text in texts.items()}
    elif world.fake.name == "account-engagement":
        for write in written:
            collection = {
                "tagged_object": "tagged-objects",
                "list_membership": "list-memberships",
                "custom_field": "custom-fields",
            }
            where = collection.get(write.kind, f"{write.kind}s")
            names_ = ",".join(["id", *(name for name in write.values if name != "password")])
            shown = world.ask("get", f"/api/v5/objects/{where}/{write.id}", query={"fields": names_})
            gone = write.verb == "delete"
            assert shown.status_code == (404 if gone else 200), (write, shown.text)
            assert gone or all(
                shown.json()[name] == value
                for name, value in write.values.items()
                if isinstance(value, str | int | None)
            )


@pytest.mark.parametrize("name", names())
def test_strangers_are_answered_as_described_and_write_what_they_are_told_they_wrote(
    worlds, drawing, name, record_property
):
    make = worlds[name]
    taken, refused = Counter(), Counter()

    def search(path, method, told):
        unused = [make()]
        strangers = Strangers(unused[0], drawing, path, method, told)
        shapes = drawing.Shapes(unused[0].fake.description())

        @settings(max_examples=REQUESTS, deadline=None, suppress_health_check=list(HealthCheck))
        @given(strangers.requests)
        def asked(request):
            world = unused.pop() if unused else make()
            sent = request(world)
            answer, written = judged(world, shapes, told, sent)
            read_back(world, path, sent, answer, written)
            (taken if answer.status_code < 400 else refused)[f"{method} {path}"] += 1
            # A world in which nothing happened serves the next stranger, too.
            if answer.status_code >= 400 or (method == "get" and not written):
                unused.append(world)

        asked()

    operations = list(make().operations())
    for operation in operations:
        search(*operation)
    record_property("requests", REQUESTS * len(operations))
    assert refused.total() >= len(operations), "hardly anything was wrong"
    never = [f"{method} {path}" for path, method, _ in operations if not taken[f"{method} {path}"]]
    assert never == [], "no request to these was ever taken"
