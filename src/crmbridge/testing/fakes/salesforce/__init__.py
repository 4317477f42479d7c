"""A Salesforce org in memory: `FakeSalesforce` and the values that its dials take."""

from crmbridge.testing.fakes.salesforce.fake import FakeSalesforce as FakeSalesforce
from crmbridge.testing.fakes.salesforce.org import DuplicateRule as DuplicateRule

__all__ = ["DuplicateRule", "FakeSalesforce"]
