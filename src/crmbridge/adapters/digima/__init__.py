"""Digima: inquiries by its web-form API, which can be written to and never read.

Facts come from Digima's help (forms made otherwise than with its PHP files, v2.support.digima.com 42044911737625) and
from the requests and answers of its public PHP client.
"""

from ._connector import Digima
from ._fields import CustomField, custom_code
from ._tracking import COOKIE, tracking_snippet, tracking_url, visit_cookie

__all__ = ["COOKIE", "CustomField", "Digima", "custom_code", "tracking_snippet", "tracking_url", "visit_cookie"]
