"""Vendors in memory, one module each: import the one you need, as in `crmbridge.testing.fakes.salesforce`."""
