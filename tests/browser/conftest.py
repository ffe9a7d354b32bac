"""Browser fixtures: one Chromium for the session, and the widget alone on a plain page with a fake model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from luminary_auth_widget.sandbox import Sandbox
from tests import chromium
from tests.conftest import bound_environ

from .lab import Lab, LabPage, lab_context

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "luminary_auth_widget" / "static"
LABEXTENSION = STATIC.parent / "labextension" / "static"
SERVED = {
    "/widget.js": (STATIC / "widget.js", "text/javascript"),
    "/widget.css": (STATIC / "widget.css", "text/css"),
    **{f"/{name}.js": (LABEXTENSION / f"{name}.js", "text/javascript") for name in ("asking", "kernels", "status")},
    "/fake_model.js": (HERE / "fake_model.js", "text/javascript"),
}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
<link rel="stylesheet" href="/widget.css"><style>body { margin: 0; font: 13px system-ui, sans-serif; }</style>
<body><main></main><button>outside</button></body></html>"""
# What axe-core is to look for.
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What is wider or higher than its place, and what sticks out of its card. An ellipsis is meant: the whole is copied.
CUT_OFF = """(cards) => [...document.querySelectorAll(`:is(${cards}) *`)].filter((node) => {
  const style = getComputedStyle(node), card = node.closest(cards).getBoundingClientRect();
  if (!node.checkVisibility() || node.closest("[role=status]") || node.tagName === "OPTION") return false;
  if (style.display !== "inline" && style.textOverflow !== "ellipsis" && node.tagName !== "INPUT"
    && node.clientWidth > 0 && (node.scrollWidth > node.clientWidth
      || (/hidden|clip/.test(style.overflowY) && node.scrollHeight > node.clientHeight))) return true;
  const { left, right } = node.getBoundingClientRect();
  return left < card.left - .5 || right > card.right + .5;
}).map((node) => node.outerHTML.slice(0, 120))"""
# A check box is pressed by its label.
TARGETS = (
    'button, select, summary, label:has(input), a[href], [tabindex="0"], input:not([type=checkbox], [type=hidden])'
)
SMALL = """(cards) => [...document.querySelectorAll(`:is(${cards}) :is(TARGETS)`)]
  .filter((target) => target.checkVisibility())
  .filter((target) => Math.min(target.getBoundingClientRect().width, target.getBoundingClientRect().height) < 24)
  .map((target) => target.outerHTML.slice(0, 120))""".replace("TARGETS", TARGETS)
# Notes in `said` whatever the live region says from now on.
SAID = """() => {
  window.said = [];
  const live = document.querySelector("[role=status]");
  new MutationObserver(() => said.push(live.textContent)).observe(live, { childList: true, subtree: true });
}"""
RENDER = """async ([traits, message, manager, width]) => {
  const { default: widget } = await import("/widget.js");
  const { FakeModel } = await import("/fake_model.js");
  if (message || !window.model) window.model = new FakeModel(traits, manager ?? undefined);
  const el = document.createElement("div");
  if (width) el.style.width = `${width}px`;
  document.querySelector("main").append(el);
  window.cleanUps = [...(window.cleanUps ?? []), await widget.render({ model, el })];
  if (message) model.emit("msg:custom", message, []);
}"""

NOW = datetime(2026, 11, 24, 10, 14, tzinfo=timezone.utc)
NOW_MS = int(NOW.timestamp() * 1000)
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000  # milliseconds, as in the messages
# Traits and messages as the kernel sends them (presentation.py).
TRAITS: dict[str, Any] = {
    "protocol": 1,
    "state": "signed_out",
    "attempt": "",
    "stopped_cell": "",
    "offers": ["key"],
    "expires_at": None,
    "signed_in_at": None,
    "checked_at": None,
    "attempt_ends_at": None,
    "expiry": "unknown",
    "kernel_now": NOW_MS,
}
STATUS: dict[str, Any] = {
    "kind": "status",
    "protocol": 1,
    "now": NOW_MS,
    "endpoint": "apis.luminarycloud.com",
    "state": "signed_out",
    "title": "Not signed in",
    "subtitle": "Nothing found in the environment, .env or the token store",
    "message": "",
    "next_step": "",
    "expires_at": None,
    "signed_in_at": None,
    "checked_at": None,
    "expiry": "unknown",
    "lifetime": None,
    "attempt": None,
    "busy": False,
    "offers": ["key"],
    "key_page": "https://app.luminarycloud.com/",
    "primary": "key",
    "env_file": None,
    "remember": {"label": "Remember in ./.env"},
    "sources": [],
    "environments": [],
    "facts": [],
    "notices": [],
    "rescue": None,
    "diagnostics": "",
}
SIGNED_IN: dict[str, Any] = {
    "state": "signed_in",
    "title": "ada@example.com",
    "subtitle": "signed in by browser",
    "offers": ["check", "sign_out", "key"],
    "primary": "",
    "expires_at": NOW_MS + 29 * DAY + 4 * HOUR,
    "checked_at": NOW_MS,
    "lifetime": 30 * DAY,
    "expiry": "recorded",
}


def status(**changes: Any) -> dict[str, Any]:
    """Return what the kernel says while signed out, with `changes`."""
    return {**STATUS, **changes}


def signed_in(**changes: Any) -> dict[str, Any]:
    """Return what the kernel says while signed in, with `changes`."""
    return {**STATUS, **SIGNED_IN, **changes}


def attempt(phase: str, **changes: Any) -> dict[str, Any]:
    """Return a sign-in by key in `phase`, with `changes`."""
    blank = {"method": "api_key", "message": "", "next_step": "", "ends_at": None, "link": None, "can_retry": False}
    return {**blank, "phase": phase, **changes}


def violations(
    page: Page, ours: Sequence[str] = ("html",), *, allowed: Sequence[str] = ()
) -> list[tuple[str, list[str]]]:
    """Return which rules axe-core finds broken in our part of a page, and where."""
    context = {"include": [[selector] for selector in ours]}
    # JupyterLab's body has no height and hides what leaves it: for axe, all in it would be off the screen.
    page.evaluate("document.body.style.overflow = 'visible'")
    told = Axe().run(page, context=context, options=WCAG).response
    page.evaluate("document.body.style.overflow = ''")
    assert "color-contrast" not in {rule["id"] for rule in told["inapplicable"]}, "axe has seen no text"
    found = told["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found if one["id"] not in allowed]


class WidgetPage:
    """A plain page on which the widget is drawn; its clock stands at NOW until `pass_time`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.card = page.get_by_role("region", name="Luminary Cloud sign-in")
        self.key = page.get_by_label("API key", exact=True)

    def render(
        self,
        message: dict[str, Any] | None = None,
        *,
        traits: dict[str, Any] | None = None,
        manager: dict[str, Any] | None = None,
        width: int | None = None,
    ) -> None:
        """Draw a view of a new model that hears `message`; with neither message nor model, one more view."""
        self.page.evaluate(RENDER, [{**TRAITS, **(traits or {})}, message, manager, width])

    def hear(self, message: dict[str, Any]) -> None:
        """Let the kernel say something."""
        self.page.evaluate("(message) => model.emit('msg:custom', message, [])", message)

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The messages that left the page, without the hellos."""
        sent: list[dict[str, Any]] = self.page.evaluate("model.sent.map(({ bytes, ...rest }) => rest)")
        return [one for one in sent if one["content"]["kind"] != "hello"]

    @property
    def intents(self) -> list[dict[str, Any]]:
        """What the person wanted."""
        return [one["content"] for one in self.sent]

    @property
    def hellos(self) -> int:
        """How often the page said hello."""
        return int(self.page.evaluate("model.sent.filter(({ content }) => content.kind === 'hello').length"))

    def pass_time(self, milliseconds: int) -> None:
        """Let every timer of the page run."""
        self.page.clock.run_for(milliseconds)


def serve(route: Route) -> None:
    """Answer from the checkout, and nothing from the network."""
    path = "/" + route.request.url.split("/", 3)[3]
    if path in SERVED:
        file, kind = SERVED[path]
        route.fulfill(body=file.read_bytes(), content_type=kind)
    elif path == "/":
        route.fulfill(body=PAGE, content_type="text/html")
    else:
        route.fulfill(status=404)


# Not for the whole session: while Playwright runs, its event loop would stand in the way of the kernel tests.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all browser tests."""
    with sync_playwright() as playwright:
        running = chromium.launch(playwright)
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile, in British English and UTC."""
    fresh = browser.new_context(locale="en-GB", timezone_id="UTC", viewport={"width": 620, "height": 800})
    yield fresh
    fresh.close()


@pytest.fixture
def a_page(context: BrowserContext) -> Iterator[Page]:
    """An empty page with the clock standing at NOW; an error or a console message fails the test."""
    page = context.new_page()
    said: list[str] = []
    chromium.note_complaints(page, said)
    page.route("**/*", serve)
    page.clock.install(time=NOW_MS / 1000 - 10)
    page.goto("http://localhost/")
    page.clock.pause_at(NOW_MS / 1000)
    yield page
    assert said == []


@pytest.fixture
def a_widget(a_page: Page) -> WidgetPage:
    """The widget's page, with nothing drawn yet."""
    return WidgetPage(a_page)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., WidgetPage]]:
    """Open the plain page as a browser with these settings shows it, its clock at NOW; a complaint fails the test."""
    said: list[str] = []
    contexts = []

    def opened(route: Callable[..., None] = serve, **options: Any) -> WidgetPage:
        context = browser.new_context(**{"locale": "en-GB", "timezone_id": "UTC", **options})
        contexts.append(context)
        page = context.new_page()
        chromium.note_complaints(page, said)
        page.route("**/*", route)
        page.clock.install(time=NOW_MS / 1000 - 10)
        page.goto("http://localhost/")
        page.clock.pause_at(NOW_MS / 1000)
        return WidgetPage(page)

    yield opened
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture(scope="package")
def a_lab_server(a_running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab for all browser tests, which logs all it can."""
    folder = tmp_path_factory.mktemp("lab")
    lab = Lab(folder, bound_environ(a_running_sandbox, folder), ("--debug",))
    yield lab
    lab.close()


@pytest.fixture
def a_lab(a_lab_server: Lab) -> Iterator[Lab]:
    """JupyterLab without kernels, and nobody signed in on its machine."""
    yield a_lab_server
    a_lab_server.forget()


@pytest.fixture
def a_context(a_lab: Lab, browser: Browser) -> Iterator[BrowserContext]:
    """A person's browser."""
    fresh = lab_context(browser)
    yield fresh
    fresh.close()


@pytest.fixture
def a_browser_elsewhere(a_lab: Lab, browser: Browser) -> Iterator[BrowserContext]:
    """A browser that reaches JupyterLab (localhost) but no port of 127.0.0.1, as if the kernel ran elsewhere."""
    # Not by a route: Playwright lets redirects pass. Port 9 (discard) serves nobody.
    fresh = lab_context(browser, proxy={"server": "http://127.0.0.1:9", "bypass": "<-loopback>,localhost"})
    yield fresh
    fresh.close()


@pytest.fixture
def a_lab_page(a_context: BrowserContext, a_lab: Lab) -> LabPage:
    """A page of JupyterLab, with no notebook open yet."""
    return LabPage(a_context.new_page(), a_lab)
