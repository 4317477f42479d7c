"""Memory is bounded by the page, never by what a system sends: measured in a process of its own, at its highest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

STATUS = Path("/proc/self/status")

pytestmark = pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells the peak of a process since it began")

MANY = int(os.environ.get("CRMBRIDGE_ROWS", "100000"))

HEAD = """
import zlib
import httpx
from crmbridge.drive import Driver
from crmbridge.errors import ContractBroken
from crmbridge.flow import Account, Request, send
def peak():
    # Not by getrusage: its peak is that of the parent, too, out of which this process was started.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024
class Wire(httpx.SyncByteStream):
    def __init__(self, chunks):
        self.chunks = chunks
    def __iter__(self):
        return iter(self.chunks)
def refused(headers, chunks):
    line = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=Wire(chunks)))
    try:
        Driver(transport=line).run(send(Request(Account("shop", "https://own.example"), "GET", "/x")))
    except ContractBroken as broken:
        print("too large" in str(broken), peak())
"""

BOMB = """
packer = zlib.compressobj(9, zlib.DEFLATED, 31)
bomb = b"".join(packer.compress(b" " * 1_000_000) for _ in range(200)) + packer.flush()
refused({"content-type": "application/json", "content-encoding": "gzip"}, [bomb])
"""

PAGE = """
refused({"content-type": "application/json"}, (b'["' + b"x" * 999_996 + b'"],' for _ in range(100)))
"""

ROWS = """
import sys
from crmbridge.model import Query
from crmbridge.plain import csv
with open(sys.argv[1], "w") as file:
    file.write("id,email,note\\n")
    for n in range(int(sys.argv[2])):
        file.write(f"{n},p{n}@x.example,{'n' * 100}\\n")
source, cursor, rows, early = csv(sys.argv[1], id="id"), None, 0, 0
with Driver() as driver:
    while True:
        page = driver.run(source.read(Query("row", ("email", "note"), cursor, 1000)))
        rows, cursor = rows + len(page.rows), page.cursor
        early = early or (peak() if rows >= 10_000 else 0)
        if not page.more:
            break
print(rows == int(sys.argv[2]), peak(), peak() - early)
"""


def measured(program, *args):
    """Run a program, and give what it printed; megabytes at the end."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HEAD + program, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("program", [BOMB, PAGE], ids=["gzip bomb of 200 MB", "page of 100 MB"])
def test_what_is_too_large_is_refused_within_300_megabytes(program):
    said, megabytes = measured(program)
    assert said == "True"
    assert int(megabytes) < 300


def test_many_rows_are_read_within_the_memory_of_a_page(tmp_path, record_property):
    """F33, I19: what is used after ten thousand rows suffices for all of them."""
    said, megabytes, grown = measured(ROWS, tmp_path / "rows.csv", MANY)
    assert said == "True"
    assert int(megabytes) < 300
    assert int(grown) < 10
    record_property("rows", MANY)
