"""Files of separated values and of JSON lines, in any encoding: read to the end, or refused with line and column."""

import tempfile
from pathlib import Path

from crmbridge.drive import Driver
from crmbridge.errors import CrmBridgeError
from crmbridge.model import Query
from crmbridge.plain import csv, jsonl

FOLDER = Path(tempfile.mkdtemp())
SEEDS = (
    'id,名前\r\n1,"a""b"\r\n'.encode("cp932"), b'id,a\n1,"x\ny"\n', b'{"id": "1", "a": {"b": 1}}\n', b"id\n\0",
    b"8888E" + b"8" * 27,
)  # fmt: skip


def target(data):
    path = FOLDER / "file"
    path.write_bytes(data)
    for make in (csv, jsonl):
        try:
            source = make(path, id="id")
            fields = tuple(Driver().run(source.schema("row")).fields)
            Driver().run(source.read(Query("row", fields, None, 100)))
        except CrmBridgeError:
            continue
