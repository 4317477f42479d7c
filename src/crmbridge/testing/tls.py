"""A certificate authority that lives as long as one fake, so that clients which insist on HTTPS can be tested."""

import ssl

import attrs

from ..errors import MissingExtra


@attrs.frozen
class Authority:
    """A throw-away authority that vouches for the loopback addresses."""

    ca_pem: str
    context: ssl.SSLContext = attrs.field(repr=False)


def authority() -> Authority:
    """Make an authority and a server context with a certificate for localhost, 127.0.0.1 and ::1.

    Raises MissingExtra where trustme is not installed.
    """
    try:
        import trustme
    except ImportError:
        raise MissingExtra("testing", "trustme, which serving over TLS needs,") from None
    issuer = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    return Authority(issuer.cert_pem.bytes().decode("ascii"), context)
