"""Run one target under atheris: `python fuzz/_run.py retry_after 600` for ten minutes; `nox -s fuzz` runs them all.

A target takes bytes and may raise nothing: what its parser is allowed to refuse with, it catches itself.
"""

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))
name, seconds = sys.argv[1], sys.argv[2]
with atheris.instrument_imports(include=["crmbridge"]):
    module = __import__(name)
corpus = Path(tempfile.mkdtemp())
for number, seed in enumerate(module.SEEDS):
    (corpus / str(number)).write_bytes(seed)
options = [
    f"-artifact_prefix={corpus}/",
    f"-max_total_time={seconds}",
    "-rss_limit_mb=512",
    "-timeout=20",
    "-verbosity=0",
    "-print_final_stats=1",
]
atheris.Setup([sys.argv[0], *options, str(corpus)], module.target)
atheris.Fuzz()
