"""A kernel whose first key has been revoked."""

import pytest

from tests.kernel.driver import Kernel


@pytest.fixture
def a_kernel(tmp_path, a_sandbox, a_bound_environ):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    first = a_sandbox.create_api_key("ada@example.com", name="revoked")
    a_sandbox.revoke_api_key(first.id)
    kernel = Kernel(folder, {**a_bound_environ, "LC_API_KEY": first.secret})
    yield kernel
    kernel.close()
