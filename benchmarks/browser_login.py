"""`python -m benchmarks.browser_login`: the browser sign-in measured, beside the SDK alone, with the sandbox.

Click to link in JupyterLab: from the press in the page until the link is there. Warm: the pointer rests on the button
first; the child that it starts has imported the SDK by then.
Landing to signed in: from the sandbox's log-in form being sent to the end of `get_token()` in the SDK's own process,
and to the signed-in heading on the page with us. Both with the same Chromium, and with nothing of the SDK changed.
Countdown: kernel messages and the page's processor time in 60 s.
"""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from playwright.sync_api import Browser, Page, WebSocket, sync_playwright

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import Sandbox
from luminary_auth_widget.sandbox.demo import ADA
from tests import chromium
from tests.browser.lab import LIMIT, LOGIN, Lab, LabPage, lab_context
from tests.conftest import bound_environ

RUNS = 5
COUNTDOWN_SECONDS = 60
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
RESULTS = Path(__file__).with_name("RESULTS.md")
PACKAGES = ("luminarycloud", "jupyterlab", "ipykernel", "anywidget", "ipywidgets", "playwright")
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


def main() -> None:
    """Measure, print the table, and write it down."""
    with sandbox.start() as cloud, tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        folder = Path(name)
        environ = bound_environ(cloud, folder)
        lab = Lab(folder, environ)
        try:
            ours = [_with_us(lab, browser, f"run-{number}.ipynb") for number in range(RUNS)]
            alone = [_sdk_alone(cloud, browser, environ) for _ in range(RUNS)]
            countdowns = {kernel: _countdown(lab, browser, kernel) for kernel in ("idle", "busy")}
            bare = _bare_page(lab, browser)
        finally:
            lab.close()
            browser_version = browser.version
            browser.close()
    cold, warm, landing = zip(*ours, strict=True)
    rows = [
        ("click to link, cold", _seconds(cold), "", ""),
        ("click to link, warm", _seconds(warm), "", "< 0.2 s"),
        ("browser landed to signed in", _seconds(landing), _seconds(alone), "< 1 s"),
    ]
    for kernel, (messages, worked) in countdowns.items():
        rows.append((f"kernel messages in {COUNTDOWN_SECONDS} s of countdown, kernel {kernel}", str(messages), "", "0"))
        rows.append((f"the page's processor time in these {COUNTDOWN_SECONDS} s", f"{worked:.2f} s", "", ""))
    rows.append(("the same, for JupyterLab without the widget", f"{bare:.2f} s", "", ""))
    text = _document(rows, browser_version)
    print(text)
    RESULTS.write_text(text, encoding="utf-8")


def _with_us(lab: Lab, browser: Browser, name: str) -> tuple[float, float, float]:
    """Return click to link cold and warm, and landing to signed in, in seconds."""
    lab.notebook(name, LOGIN)
    context = lab_context(browser)
    page = LabPage(context.new_page(), lab).open(name)
    page.run(0)
    card = page.card
    button = card.get_by_role("button", name="Sign in with browser")
    link = card.get_by_role("link", name="Open the log-in page")
    button.wait_for(timeout=LIMIT)
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
    with context.expect_page() as opened:
        link.click()
    _fill(opened.value)
    start = time.perf_counter()
    opened.value.get_by_role("button", name="Log in").click()
    card.get_by_role("heading", name=ADA.email).wait_for(timeout=LIMIT)
    landing = time.perf_counter() - start
    context.close()
    lab.forget()
    return cold, warm, landing


def _sdk_alone(cloud: Sandbox, browser: Browser, environ: dict[str, str]) -> float:
    """Return landing to signed in of the SDK's own login, in seconds."""
    with tempfile.TemporaryDirectory() as credentials:
        child = subprocess.Popen(  # noqa: S603 - our own text
            [sys.executable, "-c", SDK_ALONE],
            env={**environ, "LC_API_KEY": "", "LC_CREDENTIALS_DIR": credentials},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        link = _word(child, "link").replace(cloud.url, cloud.page_url)
        context = lab_context(browser)
        tab = context.new_page()
        tab.goto(link)
        _fill(tab)
        start = time.time()
        tab.get_by_role("button", name="Log in").click()
        took = float(_word(child, "signed in")) - start
        context.close()
        child.communicate()
        return took


def _word(child: subprocess.Popen[str], name: str) -> str:
    assert child.stderr is not None  # noqa: S101 - a pipe was asked for
    return next(line.removeprefix(name).strip() for line in child.stderr if line.startswith(name))


def _fill(tab: Page) -> None:
    tab.get_by_label("E-mail address").fill(ADA.email)
    tab.get_by_label("Password").fill(ADA.password)


def _countdown(lab: Lab, browser: Browser, kernel: str) -> tuple[int, float]:
    """Return kernel messages and the page's processor seconds."""
    busy = "import asyncio\nawait asyncio.sleep(200)"
    lab.notebook(f"{kernel}.ipynb", LOGIN, busy)
    context = lab_context(browser)
    messages = list[str | bytes]()
    tab = context.new_page()
    tab.on("websocket", lambda socket: _listen(socket, messages))
    page = LabPage(tab, lab).open(f"{kernel}.ipynb")
    page.run(0)
    page.card.get_by_role("button", name="Sign in with browser").click(timeout=LIMIT)
    with context.expect_page() as opened:
        page.card.get_by_role("link", name="Open the log-in page").click(timeout=LIMIT)
    _fill(opened.value)
    opened.value.get_by_role("button", name="Log in").click()
    page.card.get_by_role("heading", name=ADA.email).wait_for(timeout=LIMIT)
    opened.value.close()
    if kernel == "busy":
        page.run_cell(1)
        tab.get_by_text(re.compile("Busy$")).wait_for()
    tab.wait_for_timeout(3000)  # what the sign-in has set off ends
    before = len(messages)
    worked = _processor_seconds(tab)
    heard = len(messages) - before
    context.close()
    lab.forget()
    return heard, worked


def _bare_page(lab: Lab, browser: Browser) -> float:
    """Return the processor seconds of a notebook in which nothing was run."""
    lab.notebook("bare.ipynb", LOGIN)
    context = lab_context(browser)
    page = LabPage(context.new_page(), lab).open("bare.ipynb")
    page.page.wait_for_timeout(3000)  # what opening the page has set off ends
    worked = _processor_seconds(page.page)
    context.close()
    lab.forget()
    return worked


def _listen(socket: WebSocket, messages: list[str | bytes]) -> None:
    if "/channels" in socket.url:
        # Lambdas, since Playwright puts a mark on the function.
        socket.on("framesent", lambda frame: messages.append(frame))  # noqa: PLW0108
        socket.on("framereceived", lambda frame: messages.append(frame))  # noqa: PLW0108


def _processor_seconds(tab: Page) -> float:
    """Return what the page's thread has worked in the next 60 s."""
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def worked() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")

    start = worked()
    tab.wait_for_timeout(COUNTDOWN_SECONDS * 1000)  # what is measured: real time passing
    return worked() - start


def _seconds(samples: tuple[float, ...] | list[float]) -> str:
    return f"{statistics.median(samples):.2f} s ({min(samples):.2f}-{max(samples):.2f})"


def _document(rows: list[tuple[str, str, str, str]], browser_version: str) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return (
        "# Browser sign-in, measured\n\n"
        f"Medians of {RUNS} runs (smallest-largest), side by side in one run of `python -m benchmarks.browser_login`.\n"
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, Chromium {browser_version}, "
        f"{packages}.\n\n"
        "| | with the widget, in JupyterLab | the SDK alone | goal |\n|---|---|---|---|\n"
        f"{table}\n\n"
        "Click to link: from the press in the page to the link's being there; warm: after the pointer has rested on\n"
        f"the button for {HOVER_SECONDS} s. Landing: from the log-in form's being sent.\n"
        "The SDK alone: `lc.Client(api_key=None).get_token()`, with the same browser.\n"
    )


if __name__ == "__main__":
    main()
