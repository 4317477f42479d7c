"""Defects in how the fakes are entered and how a record is named there: as the other files of this folder."""

FAKES = "tests/fakes/test_salesforce_"

PLANTS = {
    "a plus sign in a path is a blank for a fake": (
        "testing/fakes/salesforce/records.py",
        '    value = "/".join(call.path[2:])\n',
        '    value = "/".join(call.path[2:]).replace("+", " ")\n',
        (f"{FAKES}records.py::test_a_plus_sign_in_the_path_is_itself_and_reaches_no_record_with_a_blank",),
    ),
    "a session is signed without the client's secret": (
        "testing/oauth.py",
        "hmac.new(secret.encode(), ",
        'hmac.new(b"", ',
        (f"{FAKES}auth.py::test_a_session_is_signed_as_the_vendor_documents",),
    ),
    "sessions outlive the refresh token that they came of": (
        "testing/fakes/salesforce/auth.py",
        "            self._sessions = {one: held for one, held in self._sessions.items() if held.refresh != token}\n",
        "",
        (f"{FAKES}auth.py::test_a_revoked_refresh_token_ends_with_the_sessions_that_came_of_it_and_no_other[False]",),
    ),
}
