"""A file of settings: read, or refused with what is wrong, without a value of it."""

import tempfile
from pathlib import Path

from crmbridge.blueprints.account_engagement_salesforce import Settings
from crmbridge.errors import SettingsError
from crmbridge.settings import load

FOLDER = Path(tempfile.mkdtemp())
SEEDS = (
    b'master = "salesforce"\nmost_deletes = 0.5',
    b'{"without": ["city"], "score": null}',
    b"a = [[",
    b"\xff",
    b"{}",
)


def target(data):
    for ending in ("toml", "json"):
        path = FOLDER / f"settings.{ending}"
        path.write_bytes(data)
        try:
            load(Settings, path)
        except SettingsError:
            continue
