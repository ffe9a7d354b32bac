"""kill -9 of a kernel that is saving, and of one whose login waits: what the next start finds, and clears away."""

import json
import os
import signal

import psutil
import pytest

from tests.kernel.driver import PORTS, Kernel, deliver, end_of_login, port_is_free
from tests.kernel.test_sign_in import LOGIN
from tests.sandbox.helpers import eventually

# Whatever calls it comes no further, and says that it has come there.
STOP = """
import os, pathlib, shutil, threading
from luminary_auth_widget import env_file
def stop(*_given, **_options):
    pathlib.Path('stopped').touch()
    threading.Event().wait()
"""
COPIED = "env_file._set_key = stop"
COMPLETE = "os.fsync = stop"
# The session is noted, then stored.
NOTED = """
fsync, synced = os.fsync, []
def sync(descriptor):
    synced.append(descriptor)
    stop() if len(synced) > 1 else fsync(descriptor)
os.fsync = sync
"""
REPLACED = """
rmtree = shutil.rmtree
def remove(path, **options):
    stop() if os.path.exists('../credentials/tokens2') else rmtree(path, **options)
shutil.rmtree = remove
"""
BEFORE = "OTHER=1\n"


@pytest.fixture
def a_folder(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / ".env").write_text(BEFORE)
    return folder


@pytest.fixture
def start(a_folder, a_bound_environ):
    """Start a kernel that shows the widget; return it and the widget."""
    kernels = []

    def start():
        kernels.append(Kernel(a_folder, a_bound_environ))
        return kernels[-1], kernels[-1].run(LOGIN).models[0]

    yield start
    for kernel in kernels:
        kernel.close()


def _left(a_folder):
    places = (a_folder, a_folder.parent / "credentials")
    found = [path.name for place in places if place.is_dir() for path in place.iterdir()]
    return [name for name in found if name.startswith((".luminary", ".login"))]


def _kill(kernel):
    os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    assert eventually(lambda: not kernel.manager.is_alive(), within=60)


def _remember(kernel, _model, key):
    kernel.begin(f"session.use_key('{key.secret}', remember=True)")


def _log_in(kernel, model, _key):
    deliver(end_of_login(kernel.cloud, kernel.begin_login(model)))


@pytest.mark.parametrize(
    ("deed", "moments"), [(_remember, (COPIED, COMPLETE)), (_log_in, (NOTED, REPLACED))], ids=["a key", "a session"]
)
def test_a_kernel_killed_while_it_saves_leaves_whole_files_and_the_next_start_clears_the_rest_away(
    start, a_folder, a_sandbox, a_key, deed, moments
):
    stopped, store = a_folder / "stopped", a_folder.parent / "credentials" / "tokens2"
    for moment in moments:
        kernel, model = start()
        kernel.cloud = a_sandbox
        kernel.run(STOP + moment)
        deed(kernel, model, a_key)
        assert eventually(stopped.exists, within=60)
        _kill(kernel)
        stopped.unlink()
        assert len([name for name in _left(a_folder) if "lock" not in name]) == 1
        assert (a_folder / ".env").read_text() == BEFORE
        assert store.exists() == (moment == REPLACED)
    kernel, model = start()
    assert eventually(lambda: _left(a_folder) == [], within=60)
    if deed is _log_in:
        assert list(json.loads(store.read_text())) == ["refresh_token"]
        kernel.wait_for(model, state="signed_in", expiry="recorded")
    else:
        assert not kernel.run(f"_ = session.use_key('{a_key.secret}', remember=True)").error
        assert (a_folder / ".env").read_text() == f"{BEFORE}LC_API_KEY='{a_key.secret}'\n"
    assert _left(a_folder) == []


def test_a_kernel_and_its_login_killed_at_once_leave_no_port_and_no_folder_after_the_next_start(start, a_folder):
    kernel, model = start()
    kernel.begin_login(model)
    (child,) = kernel.children()
    # Else it would clear away the folder itself, as soon as its parent is gone.
    child.suspend()
    _kill(kernel)
    child.kill()
    psutil.wait_procs([child], timeout=10)
    (left,) = _left(a_folder)
    assert left.startswith(".login-")
    start()
    assert eventually(lambda: _left(a_folder) == [], within=60)
    assert all(map(port_is_free, PORTS))


def test_a_kernel_that_starts_leaves_the_login_of_another_alone(start, a_folder):
    kernel, model = start()
    link = kernel.begin_login(model)
    start()[0].run("[t.join() for t in __import__('threading').enumerate() if t.name == 'luminary-auth']")
    assert len(_left(a_folder)) == 1
    assert kernel.status(model)["attempt"]["link"] == link
