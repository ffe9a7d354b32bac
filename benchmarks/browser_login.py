"""The browser sign-in in JupyterLab, beside the SDK's own, with the same Chromium and nothing of the SDK changed.

Click to link: from the press in the page until the link is there. Warm: the pointer rests on the button first; the
child that it starts has imported the SDK by then. Landing: from the sandbox's log-in form being sent to the end of
`get_token()` in the SDK's own process, and to the signed-in heading on the page with us.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from playwright.sync_api import Browser, Page

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import Sandbox
from luminary_auth_widget.sandbox.demo import ADA
from tests.browser.lab import LIMIT, Lab, lab_context
from tests.browser.person import expect_signed_in, follow

from . import stage
from .table import Section, compared, limited

# Until the child that the pointer starts has imported the SDK, on a busy machine too.
HOVER_SECONDS = 4
# Measured inside the page, from the press to the link; Playwright's own waiting stays outside.
STOPWATCH = """card => {
  window.took = new Promise((resolve) => {
    let start = 0;
    card.addEventListener("click", () => (start = performance.now()), { capture: true, once: true });
    new MutationObserver((_changes, observer) => {
      if (![...card.querySelectorAll("a[href]")].some(({ href }) => href.includes("/authorize?"))) return;
      observer.disconnect();
      resolve((performance.now() - start) / 1000);
    }).observe(card, { subtree: true, childList: true, attributes: true });
  });
}"""
SDK_ALONE = """
import sys, time, webbrowser
class Capture(webbrowser.BaseBrowser):
    def open(self, url, new=0, autoraise=True):
        print("link", url, file=sys.stderr, flush=True)
        return True
webbrowser.register("capture", None, Capture("capture"), preferred=True)
import luminarycloud as lc
lc.Client(api_key=None).get_token()
print("signed in", time.time(), file=sys.stderr, flush=True)
"""
NOTE = f"""By turns. Click to link: from the press in the page to the link's being there; warm: after the pointer has
rested on the button for {HOVER_SECONDS} s; the SDK alone: from the start of a Python that asks for a token.
Landing: from the log-in form's being sent. The SDK alone: `lc.Client(api_key=None).get_token()`, same browser."""


def measure(runs: int) -> Section:
    """Sign in by turns, with us in JupyterLab and with the SDK alone."""
    ours, alone = [], []
    with sandbox.start() as cloud, stage.a_browser() as browser, stage.a_lab(cloud) as lab:
        for _ in range(runs):
            ours.append(_with_us(lab, browser))
            alone.append(_sdk_alone(cloud, browser, lab))
    cold, warm, landing = zip(*ours, strict=True)
    sdk_link, sdk_landing = zip(*alone, strict=True)
    rows = [
        compared("click to link, cold", cold, "the SDK alone", sdk_link),
        limited("click to link, warm", warm, below=0.2),
        limited("browser landed to signed in", landing, "the SDK alone", sdk_landing, below=1),
    ]
    return Section("Signing in with the browser", rows, NOTE)


def _with_us(lab: Lab, browser: Browser) -> tuple[float, float, float]:
    """Return click to link cold and warm, and landing to signed in, in seconds."""
    with stage.a_notebook(lab, browser, stage.LOGIN) as (page, _frames):
        page.run(0)
        card = page.card
        button = card.get_by_role("button", name="Sign in with browser")
        button.wait_for()
        page.settle()
        # Without a pointer: nothing has warmed up.
        card.evaluate(STOPWATCH)
        button.dispatch_event("click")
        cold = card.evaluate("() => window.took")
        card.get_by_role("button", name="Cancel").click()
        button.hover()
        time.sleep(HOVER_SECONDS)  # what is measured: a pointer that rests on the button
        card.evaluate(STOPWATCH)
        button.click()
        warm = card.evaluate("() => window.took")
        tab = follow(card.get_by_role("link", name="Open the log-in page"))
        start = _log_in(tab)
        expect_signed_in(card)
        return cold, warm, time.time() - start


def _sdk_alone(cloud: Sandbox, browser: Browser, lab: Lab) -> tuple[float, float]:
    """Return start to link, and landing to signed in, of the SDK's own login, in seconds."""
    with tempfile.TemporaryDirectory() as credentials, lab_context(browser) as context:
        begun = time.time()
        child = subprocess.Popen(  # noqa: S603 - our own text
            [sys.executable, "-c", SDK_ALONE],
            env={**lab.environ, "LC_API_KEY": "", "LC_CREDENTIALS_DIR": credentials},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        link, linked = _word(child, "link").replace(cloud.url, cloud.page_url), time.time()
        tab = context.new_page()
        tab.goto(link)
        start = _log_in(tab)
        signed_in = float(_word(child, "signed in"))
        child.communicate()
        return linked - begun, signed_in - start


def _word(child: subprocess.Popen[str], name: str) -> str:
    assert child.stderr is not None  # noqa: S101 - a pipe was asked for
    return next(line.removeprefix(name).strip() for line in child.stderr if line.startswith(name))


def _log_in(tab: Page) -> float:
    """Send the log-in form; return when."""
    tab.get_by_label("E-mail address").fill(ADA.email, timeout=LIMIT)
    tab.get_by_label("Password").fill(ADA.password)
    start = time.time()
    tab.get_by_role("button", name="Log in").click()
    return start
