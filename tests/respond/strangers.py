"""Let schemathesis loose on every fake: `python tests/respond/strangers.py [--examples N] [NAME ...]`.

Each fake listens on a port of its own with a few records in it, and schemathesis reads its description. What it checks is
what the descriptions promise: known statuses, types and forms of answers, no failure of the server, 405 with `Allow`
for other methods. SOAP is left out: its refusals have the status 500, as the protocol says.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)


def worlds():
    spec = importlib.util.spec_from_file_location("worlds", Path(__file__).with_name("worlds.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WORLDS


def searched(name, world, examples):
    """Run schemathesis on one fake; say whether everything held."""
    with tempfile.TemporaryDirectory() as folder, world.fake.serve() as base:
        described = Path(folder) / "openapi.json"
        described.write_text(json.dumps(dict(world.fake.description())), "utf-8")
        command = ["schemathesis", "run", str(described), "--url", base, "--checks", ",".join(CHECKS)]
        command += [
            "--max-examples",
            str(examples),
            "--phases",
            "coverage,fuzzing,stateful",
            "--suppress-health-check",
            "all",
        ]
        command += ["--seed", "1", "--continue-on-failure", "--warnings", "off", "--generation-database", "none"]
        command += ["--exclude-path-regex", "^/services/Soap/"] if name == "salesforce" else []
        for header, value in world.headers.items():
            command += ["-H", f"{header}: {value}"]
        return subprocess.run(command, cwd=folder, check=False).returncode == 0


def main(arguments):
    parser = argparse.ArgumentParser(description="Let schemathesis loose on every fake.")
    parser.add_argument("--examples", type=int, default=50, help="requests for each operation (default: 50)")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(worlds()))
    told = parser.parse_args(arguments)
    held = [
        searched(name, make(), told.examples) for name, make in worlds().items() if name in told.names or not told.names
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
