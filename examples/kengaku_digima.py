"""Take what Kengaku Cloud delivers, and post it to Digima.

    python kengaku_digima.py check             holds the settings against Digima, registers nothing
    python kengaku_digima.py enable            counts entries from now on; `disable` stops
    python kengaku_digima.py serve [PORT]      takes deliveries and posts them, until it is ended
    python kengaku_digima.py file FILE.jsonl   takes entries from a file and posts them
    python kengaku_digima.py retry             sends again what waits in quarantine, in-doubt entries too

Settings stand in the file that SETTINGS names (default kengaku_digima.toml beside this program); where that file names a
secret, the secret itself stands in the environment under that name. INTAKE_SECRET is what Kengaku Cloud signs with,
SMTP_HOST takes the notices of failure (SMTP_PORT, SMTP_USER, SMTP_PASSWORD), STATE is the file that remembers.
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from crmbridge import Pipeline
from crmbridge.adapters.kengaku import Kengaku
from crmbridge.blueprints import kengaku_digima as blueprint
from crmbridge.credentials import Secret
from crmbridge.drive import Driver
from crmbridge.errors import AdapterError, CrmBridgeError, ForgedDelivery
from crmbridge.model import Delivery
from crmbridge.notify import Mail, Smtp
from crmbridge.settings import load
from crmbridge.stores import SqliteStore

ENV = os.environ
MOST_BYTES = 1024 * 1024


def intake(pipeline: Pipeline) -> type[BaseHTTPRequestHandler]:
    """Make what answers each delivery: stored before it is answered, then posted."""

    class Intake(BaseHTTPRequestHandler):
        timeout = 30

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                self.answer(413)
                return
            body = self.rfile.read(int(length))
            try:
                pipeline.receive(Delivery("POST", self.path, dict(self.headers.items()), body))
            except ForgedDelivery:
                self.answer(401)
            except AdapterError:
                self.answer(400)
            else:
                self.answer(204)
                drained(pipeline)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: the address may hold the secret."""

    return Intake


def drained(pipeline: Pipeline) -> None:
    try:
        print(pipeline.drain(), flush=True)
    except CrmBridgeError as error:
        # The entries wait in the store: the next delivery or the next start posts them.
        print(error, file=sys.stderr, flush=True)


def checked(pipeline: Pipeline, driver: Driver, settings: blueprint.Settings) -> int:
    findings = blueprint.check(pipeline, settings)
    for finding in findings:
        print(finding)
    digima = settings.digima(base_url=ENV.get("DIGIMA_URL", "https://form.digima.com"))
    for form in settings.forms:
        driver.run(digima.verify(form.name, {"email": "connection-test@acme.example"}))
        print(f"{form.name}: Digima knows this form")
    return 2 if any(finding.fatal for finding in findings) else 0


def mails(settings: blueprint.Settings) -> list[Mail]:
    """Tell of failures by mail, where a mail server is named."""
    host, user = ENV.get("SMTP_HOST"), ENV.get("SMTP_USER", "")
    if not host:
        return []
    security = "starttls" if user else "none"
    password = Secret(ENV.get("SMTP_PASSWORD", ""))
    return [settings.mail(Smtp(host, int(ENV.get("SMTP_PORT", "587")), user, password, security))]


def done(pipeline: Pipeline, kengaku: Kengaku, verb: str, rest: list[str]) -> int:
    match verb, rest:
        case "enable", []:
            pipeline.enable()
        case "disable", []:
            pipeline.disable()
        case "file", [name]:
            try:
                with Path(name).open(encoding="utf-8-sig") as lines:
                    pipeline.accept(kengaku.lines(lines))
            except UnicodeDecodeError:
                print(f"{name} is not UTF-8; nothing of it was taken", file=sys.stderr)
                return 1
            print(pipeline.drain().raise_for_failures())
        case "retry", []:
            print(pipeline.retry().raise_for_failures())
        case "serve", _:
            drained(pipeline)
            server = HTTPServer(("127.0.0.1", int(rest[0]) if rest else 0), intake(pipeline))
            print(f"taking deliveries at http://127.0.0.1:{server.server_port}", flush=True)
            server.serve_forever()
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


def main(arguments: list[str]) -> int:
    verb, *rest = arguments or ["check"]
    try:
        path = Path(ENV.get("SETTINGS", Path(__file__).with_suffix(".toml")))
        settings = load(blueprint.Settings, path, secrets=ENV.get)
        if not ENV.get("INTAKE_SECRET"):
            print("INTAKE_SECRET is missing in the environment", file=sys.stderr)
            return 1
        kengaku = settings.kengaku(ENV["INTAKE_SECRET"])
        digima = settings.digima(base_url=ENV.get("DIGIMA_URL", "https://form.digima.com"))
        with SqliteStore(ENV.get("STATE", "state.db")) as store, Driver(store) as driver:
            built = blueprint.build(kengaku, digima, settings, store=store, notifiers=mails(settings))
            pipeline = built.using(driver)
            if verb == "check":
                return checked(pipeline, driver, settings)
            return done(pipeline, kengaku, verb, rest)
    except (CrmBridgeError, OSError) as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
