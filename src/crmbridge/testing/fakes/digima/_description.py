"""What the fake serves, as OpenAPI 3.1: the endpoint of web forms, and the tracking that belongs to it."""

from collections.abc import Iterable
from typing import Any

from crmbridge.testing.fakes.digima._submission import TEXTS
from crmbridge.testing.openapi import (
    FLAG,
    TEXT,
    answer,
    body,
    document,
    exactly,
    listed,
    maybe,
    operation,
    parameter,
    record,
    ref,
)

ABOUT = (
    "What crmbridge's fake of Digima serves, and nothing else. The key of a submission is the text "
    "ACCOUNT-FORM in Base64, without a word before it."
)


def described(
    account: str, forms: Iterable[str], static: Iterable[str], custom: Iterable[str], server: str
) -> dict[str, Any]:
    """Describe the account's endpoints; forms and custom fields are named by their codes."""
    form = record(
        {"code": exactly(*forms), "validate_only": FLAG, **dict.fromkeys(TEXTS, maybe(TEXT))}, needed=["code"]
    )
    own = record(dict.fromkeys(custom, maybe(TEXT)), needed=())
    contact = record(
        {**dict.fromkeys(static, maybe(TEXT)), "custom_fields": own, "group_names": listed(TEXT)}, needed=()
    )
    one = {"code": TEXT, "message": TEXT}
    schemas = {
        "Submission": record({"form": form, "contact": contact}),
        "Refusal": record({"error": record(one), "errors": listed(record({"type": TEXT, **one}))}),
        "Invalid": record(
            {
                "data": record({"errors": listed(record({"field": TEXT, **one}))}),
                "errors": listed(record({"type": TEXT, "field": TEXT, **one})),
            }
        ),
    }
    refused = {
        "4XX": answer("The request is refused.", ref("Refusal")),
        "422": answer("Values are refused.", ref("Invalid")),
    }
    done = answer("It is registered.", record({"data": record({})}))
    visit = (parameter("cookie"), parameter("url"), parameter("title"))
    script, pixel = answer("The script.", TEXT, "text/javascript"), answer("A picture of one dot.", TEXT, "image/gif")
    language = parameter("Accept-Language", TEXT, where="header")
    paths = {
        "/v2/submit": {
            "post": operation(
                "submit", "Register an inquiry.", {"200": done, **refused}, language, sends=body(ref("Submission"))
            )
        },
        f"/tracking/{account}.js": {
            "get": operation("script", "Give the script of pages.", {"200": script}, open=True)
        },
        "/tracking/visit": {"get": operation("visit", "Tell of a visit.", {"200": pixel}, *visit, open=True)},
    }
    security = {"entry": {"type": "apiKey", "in": "header", "name": "Authorization"}}
    return document("Digima (fake)", ABOUT, paths, schemas, server=server, security=security)
