"""What comes back from the state: journal, quarantine and plan rows, cells, deliveries."""

from crmbridge import wire
from crmbridge.model import Decision
from crmbridge.roles import Intent, JournalRow, QueueRow
from crmbridge.stores._cells import Unreadable, loads

SEEDS = (b'["a", 1, {"date": "2026-01-05"}]', b'{"ref": ["a", "b", "c"]}', b'{"decimal": "1e5"}', b"[[[[", b"null")


def target(data):
    text = data.decode("utf-8", "surrogateescape")
    for shape in (Decision, Intent, JournalRow, QueueRow):
        try:
            wire.loads(text, shape)
        except Unreadable:
            continue
    try:
        loads(text)
        wire.loads_delivery(text)
    except Unreadable:
        return
