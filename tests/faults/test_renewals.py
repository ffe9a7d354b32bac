"""Where each renewal makes the refresh token before it void, clients that renew one session at once take turns."""

import subprocess
import sys

import pytest

from luminary_auth_widget import sandbox
from tests.conftest import bound_environ
from tests.sandbox.helpers import Browser

RENEWALS = 3
# Each with a token, an SDK client and turns of its own, as kernels have them; threads only cost less.
CLIENTS = """
import os, threading
from concurrent.futures import ThreadPoolExecutor
from luminary_auth_widget import in_use, records, sdk, sources, token_store
from luminary_auth_widget.credentials import Secret
token, deployment, together = Secret(os.environ["TOKEN"]), sdk.Deployment(), threading.Barrier(8)
in_use.keep(in_use.for_new_session(token, deployment))
signed_in_at = records.session(token).signed_in_at
def renew(client):
    together.wait()
    for _ in range(RENEWALS):
        sdk.forget_access_token(client)
        client.get_token()
clients = [in_use.for_source(sources.stored_session(token_store.find()), deployment).build() for _ in range(8)]
with ThreadPoolExecutor(8) as pool:
    list(pool.map(renew, clients))
stored = token_store.find().token
print(records.session(stored).signed_in_at == signed_in_at, stored in map(sdk.refresh_token, clients))
# Whoever signs out everywhere ends it by its newest token, whichever client it has renewed by.
session = in_use.for_source(sources.stored_session(token_store.find()), deployment)
with session.newest(min(clients, key=lambda client: sdk.refresh_token(client) == stored)) as newest:
    print(newest == stored)
""".replace("RENEWALS", str(RENEWALS))


@pytest.fixture
def a_rotating_sandbox():
    with sandbox.start(refresh_rotation=True) as cloud:
        yield cloud


def test_eight_clients_that_renew_one_session_in_the_same_moment_all_keep_it_and_its_end(a_rotating_sandbox, tmp_path):
    with Browser(a_rotating_sandbox) as browser:
        token = browser.sign_in()["refresh_token"]
    done = subprocess.run(
        [sys.executable, "-c", CLIENTS],
        env={**bound_environ(a_rotating_sandbox, tmp_path), "TOKEN": token},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "True True\nTrue\n", done.stderr
    renewals = [one.outcome for one in a_rotating_sandbox.requests if one.credential == "refresh token"]
    assert renewals == ["200"] * 8 * RENEWALS
    assert sorted(path.name for path in (tmp_path / "credentials").iterdir()) == [
        "luminary-auth-widget.json",
        "tokens2",
    ]
