"""What changed since: the replication resources (REST guide, "sObject Get Updated", "sObject Get Deleted")."""

from datetime import datetime, timedelta

from crmbridge.testing.fakes.salesforce.desk import Call, Desk, Reply
from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.kinds import Kind
from crmbridge.testing.fakes.salesforce.values import moment, stamp

UPDATES_KEPT = timedelta(days=30)
DELETES_KEPT = timedelta(days=15)


def updated(desk: Desk, call: Call, kind: Kind) -> Reply:
    """Give the ids of the records that moved inside a window of at most 30 days back."""
    first, last, covered = _window(desk, call, UPDATES_KEPT)
    ids = [row.id for row in kind.since(first) if not row.deleted and row.values["SystemModstamp"] < last]
    return Reply(200, {"ids": ids, "latestDateCovered": covered})


def deleted(desk: Desk, call: Call, kind: Kind) -> Reply:
    """Give what went into the bin inside a window of at most 15 days back."""
    first, last, covered = _window(desk, call, DELETES_KEPT)
    gone = [
        {"id": row.id, "deletedDate": row.values["SystemModstamp"]}
        for row in kind.since(first)
        if row.deleted and row.values["SystemModstamp"] < last
    ]
    earliest = stamp(desk.now() - DELETES_KEPT)
    return Reply(200, {"deletedRecords": gone, "earliestDateAvailable": earliest, "latestDateCovered": covered})


def _window(desk: Desk, call: Call, kept: timedelta) -> tuple[str, str, str]:
    start, end = _moment(call, "start"), _moment(call, "end")
    now = desk.now()
    if end - start < timedelta(minutes=1):
        raise Refused("INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate")
    if start < now - kept:
        raise Refused(
            "INVALID_REPLICATION_DATE",
            f"startDate before org replication enabled date or more than {kept.days} days ago",
        )
    return stamp(start), stamp(end), stamp(min(end, now))


def _moment(call: Call, name: str) -> datetime:
    text = call.params.get(name, "")
    # Vendor: a plus sign that was not encoded arrives as a blank before the offset.
    read = moment(text.replace(" ", "+"))
    if read is None:
        raise Refused("INVALID_REPLICATION_DATE", f"{name} is not a valid date: {text}")
    return read
