"""A cursor that comes back from the store: opened, or refused as none of ours."""

from crmbridge.errors import CrmBridgeError
from crmbridge.kit.cursors import open_cursor, seal

SEEDS = (seal(since="2026-01-05", more=True).encode(), b"{}", b"[]", b'{"since": 1}', b"null")


def target(data):
    try:
        parts = open_cursor("shop", data.decode("utf-8", "surrogateescape"))
    except CrmBridgeError:
        return
    assert open_cursor("shop", seal(**parts)) == {name: part for name, part in parts.items() if part}
