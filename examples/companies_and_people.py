"""Bring companies and their people from two files into a Salesforce organisation, companies first.

    python companies_and_people.py COMPANIES.csv PEOPLE.csv              says what a run would do, and writes nothing
    python companies_and_people.py COMPANIES.csv PEOPLE.csv --run        does it; run it again when the files change

COMPANIES.csv has the columns id, name and phone; PEOPLE.csv has id, last_name, email, company (the id of a company) and
owner (the e-mail address of the user who looks after the person). A person whose company could not be written waits in
quarantine, and goes on once it is. Who may enter stands in the environment: ORG_URL, CLIENT_ID and CLIENT_SECRET of a
connected app. What is remembered goes into the file that STATE names.
"""

import os
import sys

from crmbridge import Bundle, at, bundle, key, level, linked, look_up, one_way, pair, plain, put
from crmbridge.adapters.salesforce import Salesforce
from crmbridge.errors import CrmBridgeError
from crmbridge.protocols import Source
from crmbridge.stores import SqliteStore


def built(companies_file: str, people_file: str, salesforce: Salesforce, store: SqliteStore) -> Bundle:
    """Make the two pipelines, and one bundle of them."""

    def listed(kind: str, file: str) -> Source:
        # Each kind has a name of its own: company 7 and person 7 are two records.
        return plain.csv(file, id="id", kind=kind)

    companies = (
        one_way("companies", at(listed("company", companies_file), "company"), at(salesforce, "Account"))
        .match(level("name", key("name", "Name")))
        .fields(pair("name", "Name"), pair("phone", "Phone"))
    )
    owner = look_up("owner", at(salesforce, "User"), level("e-mail", key("owner", "Email")))
    people = (
        one_way("people", at(listed("person", people_file), "person"), at(salesforce, "Contact"))
        .match(level("e-mail", key("email", "Email")))
        .fields(
            pair("last_name", "LastName"),
            pair("email", "Email"),
            put("AccountId", linked(companies, "company")),
            put("OwnerId", owner),
        )
    )
    return bundle(companies, people).remember(store)


def main(arguments: list[str]) -> int:
    files = [argument for argument in arguments if not argument.startswith("--")]
    if len(files) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    env = os.environ
    salesforce = Salesforce.connect(env["ORG_URL"], env["CLIENT_ID"], env["CLIENT_SECRET"])
    try:
        with SqliteStore(env.get("STATE", "state.db")) as store:
            whole = built(*files, salesforce, store)
            findings = whole.check()
            for finding in findings:
                print(f"{'! ' if finding.fatal else '  '}{finding}")
            if any(finding.fatal for finding in findings):
                return 2
            if "--run" not in arguments:
                print(whole.plan())
                return 0
            report = whole.run()
            print(report)
            report.raise_for_failures()
    except CrmBridgeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
