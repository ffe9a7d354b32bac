"""Eight kernels on one home that sign in, out and renew at once: it ends consistent, and no token is lost."""

import json
import stat
from pathlib import Path

import pytest

from luminary_auth_widget import sandbox
from tests.conftest import bound_environ
from tests.kernel.driver import PORTS, Kernel, port_is_free
from tests.kernel.test_sign_in import LOGIN
from tests.sandbox.helpers import eventually

ROOT = Path(__file__).parents[2]
EIGHT = 8
RENEWALS = 2
# Deeds of each kernel, one after the other.
DEEDS = 5
# Who is refused is told why; whatever else a kernel raises fails the test.
REFUSALS = ("NotSignedIn: ", "SessionExpired: ", "PortsTaken: ", "CredentialUnusable: That credential is no longer")


class Eight:
    """Eight kernels on one home folder."""

    def __init__(self, cloud, folder):
        self.cloud, self.folder = cloud, folder
        environ = {**bound_environ(cloud, folder), "PYTHONPATH": str(ROOT)}
        self.kernels = [Kernel(folder, environ) for _ in range(EIGHT)]
        self.all_run(f"{LOGIN}\nimport json, threading\nfrom tests.faults import deeds")
        self.store = folder / "credentials" / "tokens2"

    def all_run(self, *codes):
        """Run one cell in each kernel, all at once; return what they printed."""
        cells = codes if len(codes) > 1 else codes * EIGHT
        begun = [kernel.begin(code) for kernel, code in zip(self.kernels, cells, strict=True)]
        (self.folder / "go").touch()
        ran = [kernel.end_of(request) for kernel, request in zip(self.kernels, begun, strict=True)]
        (self.folder / "go").unlink()
        assert [one.traceback for one in ran if one.error] == []
        return [one.text for one in ran]

    def standings(self):
        """Return where each says that it stands, asked at once; and, one after the other, whether that is stored."""
        told = list(map(json.loads, self.all_run("print(json.dumps(deeds.standing(session)))")))
        stored = [kernel.run("print(deeds.is_stored(session))").text == "True\n" for kernel in self.kernels]
        return [{**one, "is stored": kept} for one, kept in zip(told, stored, strict=True)]

    def close(self):
        for kernel in self.kernels:
            kernel.close()


@pytest.fixture(scope="module", params=[True, False], ids=["rotation on", "rotation off"])
def eight(request, tmp_path_factory):
    with sandbox.start(refresh_rotation=request.param) as cloud:
        kernels = Eight(cloud, tmp_path_factory.mktemp("eight"))
        yield kernels
        kernels.close()


def test_eight_that_renew_one_session_in_the_same_moment_all_keep_it(eight):
    assert not eight.kernels[0].run("deeds.sign_in(session)").error
    for standing in eight.standings():
        assert (standing["state"], standing["is stored"]) == ("signed_in", True)
    eight.all_run(f"deeds.together(); deeds.renew({RENEWALS})")
    for standing in eight.standings():
        assert (standing["state"], standing["works"]) == ("signed_in", True)
        assert (standing["is stored"], standing["expiry"]) == (True, "recorded")
    renewals = [one.outcome for one in eight.cloud.requests if one.credential == "refresh token"]
    assert len(renewals) >= EIGHT * RENEWALS
    assert set(renewals) == {"200"}


def test_eight_that_sign_in_out_and_renew_at_once_all_stand_where_they_say_and_the_store_is_whole(eight):
    key = eight.cloud.create_api_key("ada@example.com", name="one of many").secret
    acts = [f"print(json.dumps(deeds.act(session, '{key}', {seed}, {DEEDS})))" for seed in range(EIGHT)]
    refused = [sentence for told in eight.all_run(*acts) for sentence in json.loads(told)]
    assert [sentence for sentence in refused if not sentence.startswith(REFUSALS)] == []
    for standing in eight.standings():
        assert standing["state"] in {"signed_in", "signed_out", "expired"}
        assert standing["works"] == (standing["state"] == "signed_in")
        assert not standing["attempt"]
        assert standing["threads"] == ["luminary-auth-watcher"]
        if standing["method"] == "browser" and standing["works"]:
            assert (standing["is stored"], standing["expiry"]) == (True, "recorded")

    # Whoever signs in now is followed by all but those with a key of their own.
    assert not eight.kernels[0].run("deeds.sign_in(session)").error
    for standing in eight.standings():
        assert (standing["state"], standing["works"]) == ("signed_in", True)
        assert standing["is stored"] == (standing["method"] == "browser")
    assert list(json.loads(eight.store.read_text())) == ["refresh_token"]
    assert stat.S_IMODE(eight.store.stat().st_mode) == 0o600
    assert sorted(path.name for path in eight.store.parent.iterdir()) == ["luminary-auth-widget.json", "tokens2"]
    assert eventually(lambda: all(map(port_is_free, PORTS)))
