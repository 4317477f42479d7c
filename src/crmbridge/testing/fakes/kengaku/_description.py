"""What the fake serves, as OpenAPI 3.1: the pages of events and forms."""

from collections.abc import Iterable
from typing import Any

from crmbridge.testing.openapi import FORM, TEXT, answer, body, document, exactly, operation, parameter, record

ABOUT = "The pages that crmbridge's fake of Kengaku Cloud serves to visitors; there is no API."


def described(
    sources: Iterable[tuple[str, list[str]]], customer: Iterable[str], labels: Iterable[str], server: str
) -> dict[str, Any]:
    """Describe the pages; each source is a kind of page with the ids that there are."""
    members = {**dict.fromkeys(customer, TEXT), **{f"answer:{label}": TEXT for label in labels}}
    entry = record(members, needed=(), more=True)
    page = answer("A page.", TEXT, "text/html")
    paths: dict[str, Any] = {}
    for source, ids in sources:
        one = parameter("id", exactly(*ids) if ids else TEXT, where="path")
        paths[f"/{source}/{{id}}"] = {
            "parameters": [one],
            "get": operation(f"{source}.show", "Show the page.", {"200": page, "4XX": page}),
            "post": operation(f"{source}.enter", "Take an entry.", {"200": page, "4XX": page}, sends=body(entry, FORM)),
        }
    return document("Kengaku Cloud (fake)", ABOUT, paths, {}, server=server)
