"""Where a sign-in goes once an environment and a server are named."""

import pytest

from luminary_auth_widget import environments
from luminary_auth_widget.environments import Environments
from luminary_auth_widget.sdk import Deployment


@pytest.mark.parametrize(
    ("named", "target"), [(None, "apis.itar.example.com"), ("private.example.com", "private.example.com")]
)
def test_a_server_that_is_named_goes_before_the_one_of_the_environment(monkeypatch, named, target):
    # What the SDK says of ITAR is asked of it in tests/contract.
    itar = Deployment("itar", target="apis.itar.example.com", auth_domain="auth.itar.example.com")
    monkeypatch.setattr(environments, "sdk_settings", lambda _name: itar)
    chosen = Environments()
    chosen.choose("itar", named)
    assert chosen.deployment == Deployment("itar", target=target, auth_domain="auth.itar.example.com")
