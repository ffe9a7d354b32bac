"""What can happen on the way to the servers: each within its limit, each a sentence, and over when it is over.

One kernel meets them all, one after the other, and is never restarted.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from tests.sandbox.helpers import Browser

from .conftest import Desk
from .line import Fault, Line, Page, Tricks, black_hole, over_tls, plain_text, reset

CHECK = (
    "from luminary_auth_widget import sdk\n"
    "if session.status.method.value == 'browser': sdk.forget_access_token(session.client)\n"
    "status = session.check(); print(status.state.value, status.message, status.next_step)"
)
LIST = "import luminarycloud as lc; print(len(list(lc.iterate_projects())), 'projects')"
CLOCK = "not valid at the time of this machine's clock. If it is not"
NONSENSE = "gave an answer that makes no sense. If this network asks for a log-in of its own"
HTML = {"content-type": "text/html"}
PORTAL = Page(200, HTML, b"<h1>Welcome to the airport</h1>")
FORBIDDEN = Page(403, HTML, b"<h1>This site was blocked</h1>")
# What each fault makes of a check, in the order of the way: address, connection, TLS, answer.
FAULTS = {
    "refused": "could not be reached. Check the connection",
    "reset": "could not be reached. Check the connection",
    "black hole": "did not answer within 5 s. Check the connection",
    "no TLS": NONSENSE,
    "a stranger's certificate": "showed a certificate that this machine does not trust. Behind a company proxy",
    "another host's certificate": "showed a certificate that this machine does not trust. Behind a company proxy",
    "a certificate that has ended": CLOCK,
    "reset in the middle": "could not be reached. Check the connection",
    "captive portal": NONSENSE,
    "captive portal that redirects": NONSENSE,
    "blocked by a proxy": "answered with a failure of its own (HTTP 403). Try again in a minute",
    "bad gateway": "answered with a failure of its own (HTTP 502). Try again in a minute",
    "too many requests": "asks to slow down (HTTP 429). Try again in ",
}


def make(fault: str, tricks: Tricks) -> Fault | None:
    return {
        "refused": None,
        "reset": reset,
        "black hole": black_hole,
        "no TLS": plain_text,
        "a stranger's certificate": over_tls(tricks.of_a_stranger, PORTAL),
        "another host's certificate": over_tls(tricks.of_another, PORTAL),
        "a certificate that has ended": over_tls(tricks.ended, PORTAL),
        "reset in the middle": over_tls(tricks.good, Page(200, HTML, b"{}" * 400), cut_after=200),
        "captive portal": over_tls(tricks.good, PORTAL),
        "captive portal that redirects": over_tls(tricks.good, Page(302, {"location": "/welcome", **HTML}, b"<p>")),
        "blocked by a proxy": over_tls(tricks.good, FORBIDDEN),
        "bad gateway": over_tls(tricks.good, Page(502, HTML, b"<p>")),
        "too many requests": over_tls(tricks.good, Page(429, {"retry-after": "120"})),
    }[fault]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("credential", ["key", "stored session"])
def test_a_fault_on_the_way_is_told_and_the_kernel_goes_on_when_it_is_over(
    a_desk: Desk, some_tricks: Tricks, credential: str, fault: str
) -> None:
    a_desk.use(credential)
    a_desk.fail(make(fault, some_tricks))
    said = a_desk.printed(CHECK)
    assert said.startswith("unverified localhost ")
    assert FAULTS[fault] in said
    # With a key it is gRPC that hears this, and keeps it for itself.
    if fault == "too many requests" and credential == "stored session":
        assert "Try again in 2 minutes" in said
    a_desk.heal()
    assert a_desk.printed(CHECK).startswith("signed_in")
    assert a_desk.printed(LIST) == "3 projects"


@pytest.mark.parametrize("credential", ["key", "stored session"])
def test_an_api_server_that_asks_in_grpc_for_a_pause_is_told_with_its_length(
    a_desk: Desk, some_tricks: Tricks, credential: str
) -> None:
    a_desk.use(credential)
    slow_down = {"content-type": "application/grpc", "grpc-status": "8", "retry-after": "120"}
    a_desk.api.fail(over_tls(some_tricks.good, Page(200, slow_down)))
    said = "unverified localhost asks to slow down (HTTP 429). Try again in 2 minutes; nothing was changed."
    assert a_desk.printed(CHECK) == said
    a_desk.heal()
    assert a_desk.printed(CHECK).startswith("signed_in")


def test_the_page_of_a_proxy_that_blocks_the_server_accepts_no_key(a_desk: Desk, some_tricks: Tricks) -> None:
    a_desk.fail(make("blocked by a proxy", some_tricks))
    ran = a_desk.kernel.run("session.use_key('lc-unknown-key-0000')")
    assert "ServerTrouble: localhost answered with a failure of its own (HTTP 403)." in ran.error
    assert "lc-unknown" not in a_desk.printed("print(session.status)")
    a_desk.heal()
    assert "KeyRefused" in a_desk.kernel.run("session.use_key('lc-unknown-key-0000')").error
    a_desk.printed("session.cancel();")


def test_a_name_without_an_address_is_told_for_the_api_and_for_the_identity_server(a_desk: Desk) -> None:
    key = a_desk.cloud.create_api_key("ada@example.com", name="far")
    a_desk.printed("login(show=False, target='nowhere.invalid:443');")
    ran = a_desk.kernel.run(f"session.use_key({key.secret!r})")
    assert "nowhere.invalid could not be found: its name has no address here (DNS)." in ran.error
    a_desk.printed(f"login(show=False, target='localhost:{a_desk.api.port}');")
    a_desk.printed(f"session.use_key({key.secret!r});")
    assert a_desk.printed(CHECK).startswith("signed_in")

    a_desk.use_a_session()
    a_desk.printed("auth = session.client._auth0_client; domain, auth.domain = auth.domain, 'nowhere.invalid'")
    assert a_desk.printed(CHECK).startswith("unverified nowhere.invalid could not be found")
    a_desk.printed("auth.domain = domain")
    assert a_desk.printed(CHECK).startswith("signed_in")


def test_a_ca_file_that_is_not_there_is_named_by_its_variable_and_the_stored_session_stays(a_desk: Desk) -> None:
    a_desk.use_a_session()
    before = (a_desk.credentials / "tokens2").read_bytes()
    a_desk.printed("os.environ['REQUESTS_CA_BUNDLE'] = '/no/ca.pem'")
    assert a_desk.printed(CHECK).startswith("unverified REQUESTS_CA_BUNDLE names a CA file that is not there. Correct")
    a_desk.restore_the_environment()
    assert a_desk.printed(CHECK).startswith("signed_in")
    assert (a_desk.credentials / "tokens2").read_bytes() == before


# -- proxies -----------------------------------------------------------------------------------------------------------

DEAD_PROXY = (
    "os.environ.pop('NO_PROXY'); os.environ.pop('no_proxy')\n"
    # The cell's own code is told to everybody.
    "os.environ['https_proxy'] = f\"http://ada:{'-'.join(('proxy', 'password'))}@127.0.0.1:9\"\n"
)


@pytest.mark.parametrize("credential", ["key", "stored session"])
def test_a_dead_proxy_is_named_by_its_variable_unless_the_host_is_excepted(a_desk: Desk, credential: str) -> None:
    a_desk.use(credential)
    a_desk.printed(DEAD_PROXY)
    said = a_desk.printed(CHECK)
    assert said.startswith("unverified localhost could not be reached (through the proxy in https_proxy).")
    assert "proxy-password" not in a_desk.kernel.broadcast()
    a_desk.printed("os.environ['NO_PROXY'] = os.environ['no_proxy'] = 'localhost'")
    assert a_desk.printed(CHECK).startswith("signed_in")
    a_desk.fail(None)
    assert a_desk.printed(CHECK).startswith("unverified localhost could not be reached. ")
    a_desk.heal()
    a_desk.restore_the_environment()
    assert a_desk.printed(CHECK).startswith("signed_in")


# -- clocks ------------------------------------------------------------------------------------------------------------

LEFT = (
    "from datetime import datetime, timedelta, timezone\n"
    "left = session.status.expires_at - datetime.now(timezone.utc)\n"
    "print(timedelta(days=29, hours=23) < left <= timedelta(days=30))"
)
ONE_DAY = timedelta(hours=25)


def test_a_kernel_whose_clock_is_a_day_behind_the_servers_is_signed_in_and_counts_right(a_desk: Desk) -> None:
    a_desk.use_a_session()
    a_desk.cloud.advance(ONE_DAY)
    # The access token at hand has ended at the server, though not by the kernel's clock.
    assert a_desk.printed("print(session.check().state.value)") == "signed_in"
    assert a_desk.printed(CHECK).startswith("signed_in")
    assert a_desk.printed(LIST) == "3 projects"
    assert a_desk.printed(LEFT) == "True"


def test_a_kernel_whose_clock_is_a_day_ahead_is_told_so_and_no_session_is_called_over(a_desk: Desk) -> None:
    a_desk.use_a_session()
    a_desk.cloud.advance(-ONE_DAY)
    # An access token lasts a day: a new one has ended before it came.
    said = a_desk.printed(CHECK)
    assert said.startswith(
        "unverified The access token that localhost gave has ended already, by this machine's clock."
    )
    assert "set the clock right" in said
    assert a_desk.printed(LEFT) == "True"
    a_desk.cloud.advance(ONE_DAY)
    assert a_desk.printed(CHECK).startswith("signed_in")


def test_a_key_is_the_servers_to_judge_whatever_the_kernels_clock_says(a_desk: Desk) -> None:
    a_desk.use_a_key()
    for ahead in (ONE_DAY, -2 * ONE_DAY):
        a_desk.cloud.advance(ahead)
        assert a_desk.printed("print(session.check().state.value)") == "signed_in"


# -- IPv6 --------------------------------------------------------------------------------------------------------------


def test_servers_on_ipv6_loopback_alone_are_signed_in_to_by_key_and_by_session(a_desk: Desk, tmp_path) -> None:
    key = a_desk.cloud.create_api_key("ada@example.com", name="on IPv6")
    lines = {
        name: Line(int(a_desk.environ[name].rpartition(":")[2]), "::1") for name in ("LC_DOMAIN", "LC_AUTH_DOMAIN")
    }
    on_ipv6 = {name: f"[::1]:{line.port}" for name, line in lines.items()}
    with Browser(a_desk.cloud) as browser:
        token = browser.sign_in()["refresh_token"]
    code = (
        "import sys\n"
        "from luminary_auth_widget import sdk, servers\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "from luminary_auth_widget.errors import AuthError\n"
        "key, token = map(Secret, sys.stdin.read().split())\n"
        "here = sdk.Deployment()\n"
        "servers.check_key(key, here.address)\n"
        "client = here.client_for_session(token)\n"
        "given = servers.check_session(client, here.address)\n"
        "print(here.host, servers.identity(given, sdk.auth_domain(client)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**a_desk.environ, **on_ipv6},
        input=f"{key.secret} {token}",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    for line in lines.values():
        line.refuse()
    assert ran.stdout == "::1 ada@example.com\n", ran.stderr
    assert all(line.calls for line in lines.values())
