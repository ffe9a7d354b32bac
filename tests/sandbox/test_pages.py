"""The web application, as a person without JavaScript uses it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import Sandbox
from luminary_auth_widget.sandbox.demo import ADA as ADAS_ACCOUNT
from luminary_auth_widget.sandbox.demo import PROJECTS

from .conftest import RunPython
from .helpers import GRACE, Browser, status_of

LIST = "import json, luminarycloud as lc\nprint(json.dumps([p.name for p in lc.iterate_projects()]))"


@pytest.fixture
def a_logged_in_browser(a_browser: Browser) -> Browser:
    assert a_browser.log_in().headers["Location"] == "profile"
    return a_browser


@pytest.fixture
def a_browser_whose_time_moves(a_sandbox_whose_time_moves: Sandbox) -> Iterator[Browser]:
    with Browser(a_sandbox_whose_time_moves) as browser:
        browser.log_in()
        yield browser


def create_key(browser: Browser, name: str, duration: str = "Three months", date: str = "") -> str:
    made = browser.send(browser.get("create-key"), name=name, duration=duration, date=date)
    assert made.status_code == 302, made.text
    shown = re.search(r'id="secret" type="text" value="(\w+)" readonly', browser.get(made.headers["Location"]).text)
    assert shown, "the key is not shown"
    return shown[1]


def row_of(browser: Browser, name: str) -> str:
    row = re.search(rf'<tr>\s*<th scope="row"><bdi>{name}</bdi>.*?</tr>', browser.get("profile").text, re.DOTALL)
    return row[0] if row else ""


def choose(browser: Browser, name: str, verb: str) -> None:
    """Take what the three dots of a row offer, and confirm it on the page that it leads to."""
    offered = re.search(
        r'action="(\S+)".*?name="key" value="(\w+)".*?<button>(\w+)</button>', row_of(browser, name), re.S
    )
    assert offered, "the row offers nothing"
    assert offered[3] == verb
    question = browser.get(offered[1], key=offered[2])
    assert f"{verb} “<bdi>{name}</bdi>”?" in question.text
    assert browser.send(question, offered[1], key=offered[2]).headers["Location"] == "profile"


# ---- API keys ----


def test_a_key_is_shown_once_works_is_revoked_and_deleted(a_sandbox: Sandbox, a_logged_in_browser: Browser) -> None:
    browser = a_logged_in_browser
    secret = create_key(browser, "from the page")
    assert secret not in browser.get("profile").text
    assert "never" in row_of(browser, "from the page")
    assert status_of(a_sandbox, key=secret) == "OK"
    assert "never" not in row_of(browser, "from the page")
    assert 'aria-label="active">✓' in row_of(browser, "from the page")

    choose(browser, "from the page", "Revoke")
    assert status_of(a_sandbox, key=secret) == "UNAUTHENTICATED"
    assert re.search('aria-label="inactive: revoked".*?>×', row_of(browser, "from the page"))

    choose(browser, "from the page", "Delete")
    assert not row_of(browser, "from the page")
    assert status_of(a_sandbox, key=secret) == "UNAUTHENTICATED"


def test_the_page_that_showed_a_key_does_not_show_it_again(a_logged_in_browser: Browser) -> None:
    browser = a_logged_in_browser
    made = browser.send(browser.get("create-key"), name="seen", duration="One week")
    first, second = (browser.get(made.headers["Location"]).text for _ in range(2))
    assert 'id="secret"' in first
    assert 'id="secret"' not in second


def test_a_key_that_another_account_has_created_is_not_shown(a_sandbox: Sandbox, a_logged_in_browser: Browser) -> None:
    made = a_logged_in_browser.send(a_logged_in_browser.get("create-key"), name="adas", duration="One week")
    with Browser(a_sandbox) as graces:
        graces.log_in(GRACE)
        assert 'id="secret"' not in graces.get(made.headers["Location"]).text
    assert 'id="secret"' in a_logged_in_browser.get(made.headers["Location"]).text


def test_three_months_are_preset_among_the_durations_on_offer(a_logged_in_browser: Browser) -> None:
    form = a_logged_in_browser.get("create-key").text
    assert re.findall(r"<option(.*?)>(.*?)</option>", form) == [
        ("", "One week"),
        ("", "One month"),
        (" selected", "Three months"),
        ("", "Six months"),
        ("", "One year"),
        (' class="dated"', "Until a date"),
    ]


@pytest.mark.parametrize(
    ("duration", "days"),
    [("One week", 7), ("One month", 30), ("Three months", 90), ("Six months", 180), ("One year", 365)],
)
def test_a_key_expires_after_its_duration(a_logged_in_browser: Browser, duration: str, days: int) -> None:
    create_key(a_logged_in_browser, f"for {days} days", duration)
    created, expires = map(
        datetime.fromisoformat, re.findall('datetime="(.*?)"', row_of(a_logged_in_browser, f"for {days} days"))
    )
    assert expires - created == timedelta(days=days)


def test_a_key_until_a_date_is_active_on_that_day_and_inactive_on_the_next(
    a_sandbox_whose_time_moves: Sandbox, a_browser_whose_time_moves: Browser
) -> None:
    cloud, browser = a_sandbox_whose_time_moves, a_browser_whose_time_moves
    create_key(browser, "today", "One week")
    now = datetime.fromisoformat(re.findall('datetime="(.*?)"', row_of(browser, "today"))[0])
    last_minute = (now + timedelta(days=2)).replace(hour=23, minute=59, second=0)
    secret = create_key(browser, "until a date", "Until a date", f"{last_minute:%Y-%m-%d}")
    assert f"{last_minute.day} {last_minute:%b %Y}</time>" in row_of(browser, "until a date")
    cloud.advance(last_minute - now)
    assert status_of(cloud, key=secret) == "OK"
    cloud.advance(timedelta(minutes=1))
    assert status_of(cloud, key=secret) == "UNAUTHENTICATED"
    assert re.search('aria-label="inactive: expired".*?>×', row_of(browser, "until a date"))
    choose(browser, "until a date", "Delete")
    assert not row_of(browser, "until a date")


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"name": "   "}, "Give the key a name."),
        ({"name": "x" * 61}, "Give the key a name of at most 60 letters, digits and signs."),
        ({"name": "right\u202eleft"}, "Give the key a name of at most 60 letters, digits and signs."),
        ({"duration": "For ever"}, "Choose one of the durations."),
        ({"duration": "Until a date", "date": ""}, "Choose the day on which the key expires."),
        ({"duration": "Until a date", "date": "31.12.2030"}, "Choose the day on which the key expires."),
        ({"duration": "Until a date", "date": "2020-01-01"}, "Choose a day that is not over yet."),
    ],
)
def test_what_cannot_be_a_key_is_told_in_a_sentence_and_what_was_entered_stays(
    a_logged_in_browser: Browser, entered: dict[str, str], sentence: str
) -> None:
    browser = a_logged_in_browser
    before = browser.get("profile").text.count("<tr>")
    fields = {"name": "kept", "duration": "One year", **entered}
    answer = browser.send(browser.get("create-key"), "create-key", **fields)
    assert answer.status_code == 400
    assert f'role="alert">{sentence}<' in answer.text
    assert f'value="{html.escape(fields["name"])}"' in answer.text
    assert browser.get("profile").text.count("<tr>") == before


def test_an_active_key_cannot_be_deleted(a_sandbox: Sandbox, a_logged_in_browser: Browser) -> None:
    key = a_sandbox.create_api_key("ada@example.com")
    refused = a_logged_in_browser.send(a_logged_in_browser.get("profile"), "delete-key", key=key.id)
    assert refused.status_code == 409
    assert "This key is active. Revoke it first." in refused.text
    assert status_of(a_sandbox, key=key.secret) == "OK"


def test_confirming_twice_does_no_harm(a_sandbox: Sandbox, a_logged_in_browser: Browser) -> None:
    key = a_sandbox.create_api_key("ada@example.com")
    page = a_logged_in_browser.get("profile")
    revoked = [a_logged_in_browser.send(page, "revoke-key", key=key.id) for _ in range(2)]
    assert [answer.headers["Location"] for answer in revoked] == ["profile", "profile"]
    deleted, again = (a_logged_in_browser.send(page, "delete-key", key=key.id) for _ in range(2))
    assert deleted.headers["Location"] == "profile"
    assert "no such key in your list any more" in again.text


# ---- Projects ----


def test_each_account_sees_its_own_projects(a_browser: Browser) -> None:
    a_browser.log_in(GRACE)
    page = a_browser.get("projects").text
    assert "Centrifugal pump" in page
    assert "DrivAer" not in page


def test_the_page_and_the_sdk_show_the_same_projects(
    a_sandbox: Sandbox, a_logged_in_browser: Browser, run_python: RunPython
) -> None:
    key = create_key(a_logged_in_browser, "for the SDK")
    listed = run_python(LIST, {**a_sandbox.environ, "LC_API_KEY": key})
    assert listed.returncode == 0, listed.stderr
    shown = re.findall(r'<th scope="row">(.*?)<p', a_logged_in_browser.get("projects").text)
    assert shown == json.loads(listed.stdout)
    assert sorted(shown) == sorted(project.name for project in PROJECTS if ADAS_ACCOUNT.email in project.members)


# ---- Every page ----


@pytest.mark.parametrize("path", ["profile", "projects", "create-key", "revoke-key", "delete-key"])
def test_whoever_is_not_logged_in_is_sent_to_the_log_in_page(a_browser: Browser, path: str) -> None:
    answer = a_browser.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, "login")


def test_logging_out_forgets_the_browser(a_logged_in_browser: Browser) -> None:
    a_logged_in_browser.send(a_logged_in_browser.get("profile"), "logout")
    assert a_logged_in_browser.get("profile").status_code == 302


@pytest.mark.parametrize("path", ["profile", "projects", "create-key", "authorize", "nowhere", "deep/below/nowhere"])
def test_every_page_says_that_it_is_a_sandbox_and_finds_its_stylesheet(a_logged_in_browser: Browser, path: str) -> None:
    _expect_cared_for(a_logged_in_browser, path)


def test_the_log_in_page_says_so_as_well(a_browser: Browser) -> None:
    _expect_cared_for(a_browser, "login")


def _expect_cared_for(browser: Browser, path: str) -> None:
    page = browser.get(path)
    assert "These pages are not Luminary Cloud." in page.text
    sheet = re.search('rel="stylesheet" href="(.*?)"', page.text)
    assert sheet
    answer = browser.session.get(urljoin(page.url, sheet[1]), timeout=5)
    assert answer.headers["Content-Type"].startswith("text/css")


def test_the_pages_say_that_the_clock_was_moved_and_only_then(
    a_sandbox_whose_time_moves: Sandbox, a_browser_whose_time_moves: Browser, a_logged_in_browser: Browser
) -> None:
    a_sandbox_whose_time_moves.advance(timedelta(days=3))
    assert "clock was moved to" in a_browser_whose_time_moves.get("profile").text
    assert "clock" not in a_logged_in_browser.get("profile").text


def test_a_sandbox_keeps_its_cookies_name_over_a_restart_but_nobody_logged_in(tmp_path: Path) -> None:
    cookies: list[Any] = []
    for _ in range(2):
        with sandbox.start(tmp_path / "kept") as cloud, Browser(cloud) as browser:
            browser.session.cookies.update(dict(cookies))
            assert browser.get("profile").status_code == 302
            browser.log_in()
            cookies += browser.session.cookies.items()
    (first, _), (second, _) = cookies[0], cookies[-1]
    assert first == second
