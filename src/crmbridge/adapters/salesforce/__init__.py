"""Salesforce: leads, contacts, accounts, opportunities, tasks, campaigns and custom objects over the REST API.

Reads through SOQL ordered by the modification stamp, writes through the collections resource. Facts come from the REST
API Developer Guide and the SOQL Reference.
"""

from ._connector import Salesforce
from ._ids import long_id

__all__ = ["Salesforce", "long_id"]
