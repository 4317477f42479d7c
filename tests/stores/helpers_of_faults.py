"""The names that the little programs of `test_sqlite_faults` start with."""

import datetime as dt
import os
import random
import sys

from crmbridge.errors import FenceStale, LeaseHeld, StateError
from crmbridge.model import Signal
from crmbridge.roles import Delta, Fence, Progress
from crmbridge.stores import SqliteStore
from crmbridge.stores._sqlite.opening import connect
from crmbridge.testing._store_laws.values import HOUR, NOW, left, link, row
from crmbridge.testing._store_laws.whole import EVERYTHING

__all__ = [
    "EVERYTHING", "HOUR", "NOW", "Delta", "Fence", "FenceStale", "LeaseHeld", "Progress", "Signal", "SqliteStore",
    "StateError", "connect", "dt", "left", "link", "os", "random", "row", "sys",
]  # fmt: skip
