"""Salesforce Account Engagement (formerly Pardot), by its API version 5."""

from ._connector import AccountEngagement

__all__ = ["AccountEngagement"]
