"""A delivery that is forged, or signed and makes no sense: told apart, and never an error of Python's own."""

import datetime as dt

from crmbridge.adapters.kengaku import Kengaku
from crmbridge.credentials import Secret
from crmbridge.errors import ContractBroken, ForgedDelivery
from crmbridge.kit.intake import signature
from crmbridge.model import Delivery

NOW = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
SECRET = Secret("canary" * 8)
SEEDS = (
    b'{"id": "1", "event": "inquiry", "at": "2026-01-05T00:00:00+09:00", "source": {"id": "1", "name": "x"}}',
    b"[]", b"[{}]", b"t=1767571200,v1=00", b"t=99999999999999999999,v1=\xff",
)  # fmt: skip


def target(data):
    source = Kengaku.signed(SECRET)
    for header, refusals in (
        (signature(data, SECRET, NOW), ContractBroken),
        (data.decode("latin-1"), (ContractBroken, ForgedDelivery)),
    ):
        try:
            source.receive(Delivery("POST", "/in", {"X-Intake-Signature": header}, data), now=NOW)
        except refusals:
            continue
