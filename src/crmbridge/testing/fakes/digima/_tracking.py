"""The script that a tracked page loads asynchronously: it marks the visitor, and tells of the visit."""

import base64
import hashlib
import json
from collections.abc import Mapping

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

_SCRIPT = """(function () {
  var domains = %s, fresh = %s;
  var here = location.hostname, home = new URL(document.currentScript.src).origin;
  if (!(here in domains)) { return; }
  function held() {
    var found = document.cookie.match(/(?:^|; )dgm_bcn=([^;]*)/);
    return found ? found[1] : "";
  }
  function brought() {
    var value = "";
    new URLSearchParams(location.search).forEach(function (given, name) {
      if (name.indexOf("dgm_bcn_") === 0 && /^[0-9a-f]{32}$/.test(given)) { value = given; }
    });
    return value;
  }
  var cookie = brought() || held() || fresh;
  document.cookie = "dgm_bcn=" + cookie + "; path=/; max-age=63072000; SameSite=Lax";
  document.addEventListener("click", function (event) {
    var link = event.target.closest ? event.target.closest("a[href]") : null;
    if (!link || link.hostname === here || !domains[here] || !domains[link.hostname]) { return; }
    var target = new URL(link.href);
    target.searchParams.set("dgm_bcn_id", cookie);
    link.href = target.href;
  }, true);
  var told = new URLSearchParams({cookie: cookie, url: location.href, title: document.title});
  new Image().src = home + "/tracking/visit?" + told;
})();
"""


def script(domains: Mapping[str, bool], fresh: str) -> str:
    """Write the script for these domains, each with whether visitors are followed across it.

    A visitor is known by the cookie `dgm_bcn`, by a parameter `dgm_bcn_...` of the link that brought him, or is new.
    """
    return _SCRIPT % (json.dumps(domains), json.dumps(fresh))


def visitor(seed: int, number: int) -> str:
    """Give the mark of a new visitor."""
    return hashlib.sha256(f"visitor {seed} {number}".encode()).hexdigest()[:32]
