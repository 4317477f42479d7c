"""Whom to trust."""

from __future__ import annotations

import functools
import ssl

import httpx


def trust(verify: str | ssl.SSLContext | None) -> ssl.SSLContext:
    """Give the context that a transport verifies with: the given one, a file's authorities, or the public ones."""
    return verify if isinstance(verify, ssl.SSLContext) else _context(verify)


@functools.cache
def _context(authorities: str | None) -> ssl.SSLContext:
    # Loading the authorities takes tens of milliseconds: one context serves the process.
    return httpx.create_ssl_context() if authorities is None else ssl.create_default_context(cafile=authorities)
