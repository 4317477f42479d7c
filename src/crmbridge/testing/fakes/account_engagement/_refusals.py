"""How Account Engagement says no: a number, a sentence, an HTTP status (guide page error-codes)."""

from collections.abc import Mapping
from types import MappingProxyType

import httpx

# Vendor: the status is coarse, the code carries the meaning; all that is not listed here is a 400 (version5overview).
_STATUS: Mapping[int, int] = MappingProxyType(
    {184: 401, 109: 404, 192: 404, 198: 404, 66: 429, 122: 429, 202: 429}
    | dict.fromkeys((37, 46, 49, 59, 60, 108, 128, 129), 405)
)

# Vendor: clients in the field compare the sentences of 66, 122, 184 and 202, so those are the vendor's to the letter.
_SENTENCES: Mapping[int, str] = MappingProxyType(
    {
        3: "No such prospect",
        4: "The email address is not valid",
        5: "A query parameter is unknown or not allowed here",
        9: "Another prospect has this email address already",
        10: "No such user",
        13: "A required parameter is missing",
        16: "The ID is not valid",
        19: "Sorting by this field is not possible",
        20: "The sort order must be ASC or DESC",
        21: "The offset is not valid",
        23: "The limit must be a whole number from 1 to 1000",
        27: "The parameter deleted must be true, false or all",
        37: "A Salesforce connector is present: the record can only be changed in Salesforce",
        38: "No such campaign",
        50: "The value must be true or false",
        54: "The email address is in use",
        55: "No such list",
        56: "The value must be a whole number",
        57: "The value must be a date and time with an offset; of a date field, a date",
        58: "The prospect is a member of the list already; update the membership instead",
        60: "The endpoint does not support this HTTP method",
        61: "No such prospect account",
        62: "Conflicting Update",
        66: "You have exceeded your concurrent request limit. Please wait, before trying again",
        71: "The request body must be valid JSON",
        77: "The Salesforce ID is not one of a lead or a contact",
        79: "No user is known by this Salesforce ID",
        109: "The requested record was not found",
        122: "Daily API rate limit met",
        125: "Either userId or salesforceOwnerId may be given, not both",
        128: "Campaigns are created in Salesforce while Connected Campaigns are on",
        129: "Name and cost of a campaign are changed in Salesforce while Connected Campaigns are on",
        132: "The prospect is archived",
        151: "The content type must be application/json",
        152: "The request body must not be empty",
        153: "A required property is missing",
        154: "A property has a value that is not allowed",
        166: "The request body must be a JSON object",
        180: "One or more of the specified fields are invalid",
        181: "A required header is missing",
        184: "access_token is invalid, unknown, or malformed",
        198: "There is no such endpoint",
        201: "The business unit of the Pardot-Business-Unit-Id header is unknown or inactive",
        202: "Minute rate limit met",
        205: "There is no such action",
        206: "An action argument has the wrong type",
        207: "A required action argument is missing",
        208: "An action argument is unknown",
        209: "At most 3 distinct fields may be filtered",
        210: "The page token has expired",
        211: "The page token is not valid",
        219: "The record is in the recycle bin; undelete it before updating",
        224: "One or more fields cannot be read by this request",
        242: "No such tag",
        245: "The name is in use",
    }
)


class Refused(Exception):
    """The vendor's answer to a request that it does not carry out.

    `about` is added to the sentence and names a field or parameter, never a value. `allow` lists the methods that the
    endpoint supports.
    """

    def __init__(self, code: int, about: str = "", *, warning: str = "", allow: str = "") -> None:
        sentence = _SENTENCES[code]
        super().__init__(f"{sentence}: {about}" if about else sentence)
        self.code = code
        self.headers = {"Pardot-Warning": warning} if warning else {}
        if allow:
            self.headers["Allow"] = allow

    def response(self) -> httpx.Response:
        """Give the body and the status."""
        body = {"code": self.code, "message": str(self)}
        return httpx.Response(_STATUS.get(self.code, 400), json=body, headers=self.headers)
