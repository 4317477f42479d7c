"""Keep an Account Engagement business unit and a Salesforce organisation in step.

    python account_engagement_salesforce.py              says what a run would do, and writes nothing
    python account_engagement_salesforce.py --run        does it; let a scheduler start this every three minutes

Leads have a text field Ext_Id__c of 32 characters or more, marked External ID and Unique. Who may enter stands in the
environment: ORG_URL, CLIENT_ID and CLIENT_SECRET of a connected app whose run-as user may use both products, and
BUSINESS_UNIT_ID. What is remembered goes into the file that STATE names.
"""

import os
import sys

from crmbridge.adapters.account_engagement import AccountEngagement
from crmbridge.adapters.salesforce import Salesforce
from crmbridge.blueprints import account_engagement_salesforce as blueprint
from crmbridge.errors import CrmBridgeError
from crmbridge.stores import SqliteStore

SETTINGS = blueprint.Settings(
    master="salesforce",
    masters={"comments": "account_engagement", "phone": "most_recently_updated"},
    create_prospects=False,
    adopt="oldest",
)


NEEDED = ("ORG_URL", "CLIENT_ID", "CLIENT_SECRET", "BUSINESS_UNIT_ID")


def main(arguments: list[str]) -> int:
    env = os.environ
    if missing := [name for name in NEEDED if not env.get(name)]:
        print(f"missing in the environment: {', '.join(missing)}", file=sys.stderr)
        return 1
    try:
        salesforce = Salesforce.connect(
            env["ORG_URL"], env["CLIENT_ID"], env["CLIENT_SECRET"], external_ids={"Lead": "Ext_Id__c"}
        )
        account_engagement = AccountEngagement.connect(
            env.get("AE_URL", "https://pi.pardot.com"),
            token_url=f"{env['ORG_URL']}/services/oauth2/token",
            client_id=env["CLIENT_ID"],
            client_secret=env["CLIENT_SECRET"],
            business_unit_id=env["BUSINESS_UNIT_ID"],
        )
        with SqliteStore(env.get("STATE", "state.db")) as store:
            pipeline = blueprint.build(account_engagement, salesforce, SETTINGS, store=store)
            findings = pipeline.check()
            for finding in findings:
                print(f"{'! ' if finding.fatal else '  '}{finding}")
            if any(finding.fatal for finding in findings):
                return 2
            if "--run" not in arguments:
                print(pipeline.plan())
                return 0
            report = pipeline.run()
            print(report)
            report.raise_for_failures()
    except CrmBridgeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
