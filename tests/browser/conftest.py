"""A real browser for which every host name leads to this computer, so that pages stand on sites of their own."""

from __future__ import annotations

import shutil

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * 127.0.0.1",
)


def started(folder):
    """Start a browser that has never been anywhere; a page counts as loaded once its document is read."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="install selenium")
    from selenium.webdriver.chrome.service import Service

    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("install chromium and chromium-driver: pages are loaded in a real browser here")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.page_load_strategy = "eager"
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=Service(driver))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    made = started(tmp_path_factory.mktemp("browser"))
    try:
        yield made
    finally:
        made.quit()
