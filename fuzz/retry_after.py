"""`Retry-After`: seconds, a date, or whatever a stranger's proxy makes of it."""

import datetime as dt

from crmbridge.drive._throttle import LONGEST, retry_after

NOW = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
SEEDS = (b"120", b"-1", b"1e9", b"Mon, 05 Jan 2026 00:02:00 GMT", b"Sun, 06 Nov 94 08:49:37 GMT")


def target(data):
    wait = retry_after({"retry-after": data.decode("latin-1")}, NOW)
    assert wait is None or 0 <= wait <= LONGEST
