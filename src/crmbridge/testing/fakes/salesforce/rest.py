"""The REST API's tree: which resource answers what, and the resources too small for a module of their own."""

import re
from collections.abc import Callable
from typing import Any

from crmbridge.testing.fakes.salesforce import bulk, composite, records, search
from crmbridge.testing.fakes.salesforce.desk import Call, Desk, Reply
from crmbridge.testing.fakes.salesforce.errors import Refused, not_found
from crmbridge.testing.fakes.salesforce.paging import Result

SEASONS = ("Winter", "Spring", "Summer")
OLDEST, NEWEST = 31, 68
STRANGER = "https://elsewhere.invalid"
"""The host of a next page that leads away (F32)."""


class Rest:
    """Finds the resource for a call."""

    def __init__(self, desk: Desk, jobs: bulk.Jobs, identity: Callable[[], str]) -> None:
        self._desk = desk
        self._identity = identity
        self._resources: dict[str, Callable[[Call], Reply]] = {
            "sobjects": lambda call: records.answer(desk, call),
            "query": lambda call: self._query(call, deleted=False),
            "queryall": lambda call: self._query(call, deleted=True),
            "limits": self._limits,
            "composite": lambda call: composite.answer(desk, call, self.dispatch),
            "jobs": lambda call: jobs.answer(desk, call),
            "search": lambda call: search.answer(desk, call),
        }

    def dispatch(self, call: Call) -> Reply:
        """Answer one call; raises the vendor's refusal."""
        number = float(call.version)
        if number > NEWEST or number != int(number):
            raise not_found()
        if number < OLDEST:
            raise Refused("UNSUPPORTED_API_VERSION", f"version {call.version} has been retired", status=410)
        if not call.raw or call.raw == ("",):
            call.only("GET")
            names = ("sobjects", "query", "queryAll", "limits", "composite", "jobs", "search")
            paths = {name: f"/services/data/v{call.version}/{name}" for name in names}
            # Vendor: among the paths stands one whole address, that of the user.
            return Reply(200, {**paths, "identity": self._identity()})
        resource = self._resources.get(call.raw[0].lower())
        if resource is None:
            raise not_found()
        return resource(call.below())

    def _limits(self, call: Call) -> Reply:
        call.ends(0)
        call.only("GET")
        quota = self._desk.quota
        left = max(0, quota.limit - quota.used(self._desk.now()))
        limits = {"DailyApiRequests": {"Max": quota.limit, "Remaining": left}}
        for name, most in (("DailyBulkApiBatches", 15_000), ("DailyBulkV2QueryJobs", 10_000), ("DataStorageMB", 1_024)):
            limits[name] = {"Max": most, "Remaining": most}
        return Reply(200, limits)

    def _query(self, call: Call, *, deleted: bool) -> Reply:
        call.ends(1)
        call.only("GET")
        desk, now = self._desk, self._desk.now()
        if call.raw:
            found = re.fullmatch(r"(\w{15}(?:\w{3})?)-(\d{1,9})", call.path[0])
            if not found or desk.faults.fires("F18", call.request):
                raise Refused("INVALID_QUERY_LOCATOR", "Invalid query locator", status=404)
            return self._page(call, desk.cursors.find(found[1], now), int(found[2]), found[1], deleted=deleted)
        text = call.params.get("q", "")
        if not text.strip():
            raise Refused("MALFORMED_QUERY", "unexpected token: '<EOF>'")
        result = desk.reader.run(text, version=call.version, deleted=deleted, now=now)
        if desk.faults.fires("F17", call.request):
            del result.ids[len(result.ids) // 2 :]
        return self._page(call, result, 0, "", deleted=deleted)

    def _page(self, call: Call, result: Result, start: int, locator: str, *, deleted: bool) -> Reply:
        desk = self._desk
        size = result.page_size = self._size(call, result.page_size)
        # Vendor: groups have no next page.
        if len(result.aggregate or ()) > size:
            text = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
            raise Refused("EXCEEDED_ID_LIMIT", text)
        head = f"/services/data/v{call.version}/{'queryAll' if deleted else 'query'}/"
        page = result.page(start, size, desk.cursors.linking(head, desk.now()))
        done = start + size >= result.size or (not page and start == 0)
        answer: dict[str, Any] = {"totalSize": result.size, "done": done}
        if not done:
            locator = locator or desk.cursors.keep(result, desk.now())
            link = f"{head}{locator}-{start + size}"
            answer["nextRecordsUrl"] = STRANGER + link if desk.faults.fires("F32", call.request) else link
        return Reply(200, {**answer, "records": page})

    def _size(self, call: Call, before: int) -> int:
        wish = re.search(r"batchsize\s*=\s*(\d{1,6})", call.headers.get("sforce-query-options", "").lower())
        asked = min(max(int(wish[1]), 200), 2_000) if wish else before
        return min(asked, self._desk.page_size)


def versions() -> list[dict[str, str]]:
    """List the versions that the API is served in."""
    listed: list[dict[str, str]] = []
    for number in range(OLDEST, NEWEST + 1):
        # Three releases a year, named after the year to come; version 68 is Winter '27.
        year, season = divmod(number - 68 + 27 * 3, 3)
        listed.append(
            {"label": f"{SEASONS[season]} '{year:02}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        )
    return listed
