"""A kernel in which everything is logged goes each way to sign in and to fail; all that it leaves is searched."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest

from tests.cli.driver import COMMAND
from tests.conftest import bound_environ
from tests.kernel.driver import Kernel, Ran, deliver, end_of_login
from tests.sandbox.helpers import eventually

from .conftest import NAMED_FORMS, LoudSandbox, Planted, made_up
from .sweep import Hit, Keeper, Place, Sweep, files_below, processes_below

LOGIN = "from luminary_auth_widget import login\nsession = login()"
LIST = "import luminarycloud as lc\nprint(len(list(lc.iterate_projects())))"
RENEW = "session.client._auth0_client.access_token = None"
CONFIG = "c = get_config()\nc.IPKernelApp.log_level = 'DEBUG'\nc.HistoryManager.db_log_output = True\n"
# What a person gives is read from files: a paste leaves no trace in a cell's source either.
STARTUP = """
import contextlib, copy, faulthandler, json, logging, os, pathlib, pickle, signal, subprocess, sys, tempfile, threading
import time, traceback
logging.basicConfig(level=logging.DEBUG, filename=pathlib.Path.home() / "debug.log", force=True)
crash = open(pathlib.Path.home() / "crash.txt", "a")
faulthandler.enable(crash)
def read(name):
    return pathlib.Path(os.environ["GIVEN"], name).read_text()
def planted(place):
    return json.loads(read("planted.json"))[place]
def told(call):
    try:
        print("It has not failed:", call())
    except BaseException as error:
        logging.exception("told")
        with contextlib.suppress(AttributeError):  # of a copy that is half made
            print(*traceback.TracebackException.from_exception(error, capture_locals=True).format())
        print(repr(error), vars(error))
def interrupt_in(function):
    "Press Ctrl-C as soon as the main thread is in a function of that name."
    cell = threading.get_ident()
    def look():
        while function not in [frame.name for frame in traceback.extract_stack(sys._current_frames()[cell])]:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=look).start()
"""
# Where a secret could get to, and how the search names such a place.
PLACES = {
    "a file at home": "home/planted.txt",
    "a file beside the notebook": "notebooks/planted.txt",
    "a temporary file": "tmp/",
    "a runtime file": "runtime/planted.txt",
    "a file that was deleted": "home/short-lived.txt (gone)",
    "a library's log": "home/debug.log",
    "the kernel's log": "kernel.log",
    "history": "ipython/profile_default/history.sqlite",
    "a log of cells": "notebooks/cells.log",
    "printed text": "iopub stream",
    "a result": "iopub execute_result",
    "a traceback": "iopub error",
    "a reply": "shell execute_reply",
    "a trait": "iopub comm_open",
    "a custom message": "iopub comm_msg",
    "a buffer": "iopub comm_msg",
    "a child's arguments": "arguments of",
    "a child's environment": "environment of",
    "a crash dump": "home/crash.txt",
    "an executed notebook": "notebooks/executed.ipynb",
    "saved widget state": "notebooks/executed.ipynb",
    "a notebook that papermill ran": "notebooks/papermill.ipynb",
    "papermill's log": "output of papermill",
    "the command's output": "output of luminary-auth",
    "the sandbox's log": "sandbox/everything.log",
    "the sandbox's files": "sandbox/planted.txt",
}
PLANTING = (
    "pathlib.Path.home().joinpath('planted.txt').write_text(planted('a file at home'))",
    "pathlib.Path('planted.txt').write_text(planted('a file beside the notebook'))",
    "os.write(tempfile.mkstemp()[0], planted('a temporary file').encode())",
    "pathlib.Path(os.environ['JUPYTER_RUNTIME_DIR'], 'planted.txt').write_text(planted('a runtime file'))",
    "logging.getLogger('urllib3.connectionpool').debug(planted('a library\\'s log'))",
    "get_ipython().kernel.log.debug(planted('the kernel\\'s log'))",
    "planted('a log of cells')",
    "print(planted('printed text'))",
    "planted('a result')",
    "raise ValueError(planted('a traceback'))",
    "raise ValueError(planted('a reply'))",
    "import ipywidgets\nfield = ipywidgets.Text(planted('a trait'))",
    "field.send(planted('a custom message'), buffers=[planted('a buffer').encode()])",
    "crash.write(planted('a crash dump'))\ncrash.flush()",
    "child = subprocess.Popen([sys.executable, '-c', 'input()', planted('a child\\'s arguments')],"
    " env={**os.environ, 'PLANTED': planted('a child\\'s environment')}, stdin=subprocess.PIPE)",
)


class Ride:
    """One machine, one kernel on it, and a person who does everything that can be done, also what goes wrong."""

    def __init__(self, folder: Path, loud: LoudSandbox) -> None:
        self.machine, self.loud, self.cloud = folder / "machine", loud, loud.cloud
        self.given = folder / "given"  # outside of what is searched
        for place in ("", "tmp", "notebooks", "runtime", "ipython/profile_default/startup"):
            (self.machine / place).mkdir(parents=True)
        self.given.mkdir()
        profile = self.machine / "ipython" / "profile_default"
        (profile / "ipython_kernel_config.py").write_text(CONFIG)
        (profile / "startup" / "loud.py").write_text(STARTUP)
        self.planted = Planted(PLACES)
        self.secrets = self.planted.secrets
        self.places: list[Place] = []
        self.hits: list[Hit] = []
        self.give("planted.json", json.dumps({place: self.planted.text(place) for place in PLACES}))
        self.environ = {
            **bound_environ(self.cloud, self.machine),
            "TMPDIR": str(self.machine / "tmp"),
            "JUPYTER_CONFIG_DIR": str(self.machine / "jupyter" / "config"),
            "JUPYTER_DATA_DIR": str(self.machine / "jupyter" / "data"),
            "GIVEN": str(self.given),
            "GRPC_VERBOSITY": "DEBUG",
        }

    def give(self, name: str, text: str) -> None:
        (self.given / name).write_text(text)

    def go(self) -> None:
        """Go every way, then gather what there is to search."""
        self.keeper = Keeper(self.machine)
        with (self.machine / "kernel.log").open("ab") as log:
            self.kernel = Kernel(self.machine / "notebooks", self.environ, log=log)
            try:
                self._begin()
                self._plant()
                self._use_keys()
                self._look_at_everything()
                self._sign_in_with_the_browser()
                self._come_back_by_itself()
                self._leave_and_find_the_session_ended()
                self._run_for_nobody()
                self.run("%logstop")
                self._crash()
            finally:
                self.kernel.close()
                gone = self.keeper.close()
        sent = [("iopub", message) for message in self.kernel.messages]
        for channel, message in [*sent, *(("shell", reply) for reply in self.kernel.replies)]:
            name = f"{channel} {message['msg_type']}"
            said = json.dumps([message["content"], message["metadata"]], default=str)
            self.places += [(name, said.encode()), *((name, bytes(buffer)) for buffer in message["buffers"])]
        self.places += [*files_below(self.machine), *gone]
        self.places += [(f"sandbox/{name}", data) for name, data in files_below(self.loud.folder)]
        self.secrets |= self.loud.secrets()

    # -- the ways ----------------------------------------------------------------------------------------------------

    def run(self, code: str, expected: str = "") -> Ran:
        """Run a cell; it fails with the error that is expected, or not at all."""
        ran = self.kernel.run(code)
        assert ran.error.startswith(expected) if expected else not ran.error, (code, ran.error)
        return ran

    def _begin(self) -> None:
        self.run("%xmode Verbose\n%logstart -o -r -t cells.log")
        (self.model,) = self.run(LOGIN).models
        self.kernel.click(self.model, "hello")

    def _plant(self) -> None:
        for cell in PLANTING:
            self.run(cell, expected="ValueError" if cell.startswith("raise") else "")
        self._see_processes()
        self.run("child.communicate()")
        self.run(f"# {self.planted.text('history')}")
        short_lived = self.machine / "home" / "short-lived.txt"
        self.run(f"pathlib.Path({str(short_lived)!r}).write_text(planted('a file that was deleted'))")
        assert eventually(lambda: self.keeper.holds(short_lived))
        self.run(f"pathlib.Path({str(short_lived)!r}).unlink()")
        with (self.loud.folder / "everything.log").open("ab") as log:
            log.write(self.planted.text("the sandbox's log").encode())
        (self.loud.folder / "planted.txt").write_text(self.planted.text("the sandbox's files"))

    def _use_keys(self) -> None:
        key = self.cloud.create_api_key("ada@example.com").secret
        wrong, malformed = f"lc-wrong-{made_up()}", f"lc-malformed {made_up()}"
        self.secrets |= {"key": key.removeprefix("lc_sandbox_"), "wrong key": wrong, "malformed key": malformed}
        self.give("key", key)
        for name, text in (("wrong", wrong), ("malformed", malformed)):
            self.give(name, text)
            self._paste_key(text)
            self.kernel.wait_for(self.model, attempt="failed")
            self.run(f"session.use_key(read({name!r}))", expected="Key")
            self.run(f"told(lambda: session.use_key(read({name!r}), remember=True))")
        self._paste_key(key)
        self.kernel.wait_for(self.model, state="signed_in", attempt="")
        self.run(LIST)
        self.cloud.fault("refuse")
        self.run("session.use_key(read('key'))", expected="ServerUnreachable")
        self.run("told(session.retry)\nsession.check()")
        self.cloud.clear_faults()
        self.run("session.retry()")
        self._interrupt("session.use_key(read('key'))", function="_blocking")
        self.run("session.use_key(read('key'), remember=True)")
        self.run("session.forget()")
        self.run("session.remember()\nsession.check()\nsession.load_env()\nsession.sign_out()\nlogin()")
        self.run(LIST)

    def _look_at_everything(self) -> None:
        self.run(
            "def work(session, client, widget, source):\n    raise LookupError(session, client, widget, source)\n"
            "from luminary_auth_widget import AuthWidget\n"
            "view = AuthWidget()\nwork(session, session.client, view, session.in_use)",
            expected="LookupError",
        )
        self.run("told(lambda: work(session, session.client, view, session.in_use))\nview.close()")
        self.run(
            "for thing in (session, session.in_use, session.in_use.key, session.in_use.session, session.status,"
            " session.client):\n"
            "    for way in (pickle.dumps, copy.copy, copy.deepcopy, vars, repr, str, format, dir, json.dumps):\n"
            "        told(lambda: way(thing))"
        )
        self.run("%whos\n%history -o\n%who_ls")
        self.run("session.in_use")
        self.run(
            "print({name: vars(held) if hasattr(held, '__dict__') else held for name, held in vars(session).items()})"
        )
        self.run("session.environ()")

    def _sign_in_with_the_browser(self) -> None:
        self.kernel.click(self.model, "warm")
        self._begin_login()
        self._see_processes()
        self.run("faulthandler.dump_traceback(crash)")
        self.kernel.click(self.model, "cancel")
        self.kernel.wait_for(self.model, attempt="")
        link = self._begin_login()
        answer = end_of_login(self.cloud, link)
        deliver(answer.replace("code=", "error=access_denied&error_description="))
        self.kernel.wait_for(self.model, attempt="failed")
        self.secrets["authorization code that was given back as an error"] = _code(answer)
        answer = end_of_login(self.cloud, self._begin_login())
        self.give("wrong address", answer.replace("state=", "state=x"))
        self.give("address", answer)
        self.kernel.paste(self.model, answer.replace("state=", "state=x"))
        self.kernel.wait_for_message(self.model, "another sign-in")
        self.run("session.paste_callback(read('wrong address'))", expected="CallbackUnusable")
        self.run("told(lambda: session.paste_callback(read('wrong address')))")
        self._see_processes()
        self.run("session.paste_callback(read('address'))")
        self.kernel.wait_for(self.model, state="signed_in", attempt="", expiry="recorded")
        self.run(LIST)
        self.run("told(lambda: session.paste_callback(read('address')))")

    def _come_back_by_itself(self) -> None:
        self._sign_in()
        self.run(f"{RENEW}\nsession.check()")
        self._look_at_everything()
        self.cloud.fault("error")
        self.run(f"{RENEW}\nsession.check()")
        self.run("session.client.get_token()", expected="InteractiveAuth")
        self.run("told(session.require)")
        self.cloud.clear_faults()
        self._interrupt(f"{RENEW}\nsession.check()", function="_make_request")
        self.run("session.check()")

    def _leave_and_find_the_session_ended(self) -> None:
        self.run("session.sign_out(everywhere=False)\nsession.use_source('stored_session')")
        self.run("session.sign_out()")
        self._sign_in()
        self.cloud.end_sessions("ada@example.com")
        self.run(f"{RENEW}\nsession.check()")
        self.run("session.require()", expected="NotSignedIn")
        self.run(LIST, expected="_InactiveRpcError")
        self._sign_in()

    def _run_for_nobody(self) -> None:
        (self.machine / "notebooks" / ".env").unlink()
        printed = (
            "print(*map(planted, ('an executed notebook', 'a notebook that papermill ran', 'papermill\\'s log')))\n"
            "import ipywidgets\nipywidgets.Text(planted('saved widget state'))"
        )
        cells = [LOGIN, "client = session.require()", LIST, printed]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        nbformat.write(notebook, self.machine / "notebooks" / "job.ipynb")
        # nbconvert runs cells by nbclient, which is all that `jupyter execute` does.
        execute = ("-m", "jupyter", "nbconvert", "--debug", "--to", "notebook", "--execute", "job.ipynb", "--output")
        key = {"LC_API_KEY": (self.given / "key").read_text()}
        for name, environ in (("executed", {}), ("executed-with-a-key", key)):
            self._command(sys.executable, *execute, name, environ=environ)
        papermill = (str(Path(sys.executable).with_name("papermill")), "--kernel", "python3")
        self._command(*papermill, "--log-output", "--log-level", "DEBUG", "job.ipynb", "papermill.ipynb", environ=key)
        self._command(sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "executed.ipynb")
        self._command(COMMAND, "status", "--json")
        self._command(COMMAND, "check", environ=key)
        self._command(COMMAND, "scan", self.planted.text("the command's output"), status=2)

    def _crash(self) -> None:
        self.kernel.begin("os.kill(os.getpid(), 11)")
        assert eventually(lambda: "Segmentation" in (self.machine / "home" / "crash.txt").read_text(), within=20)

    # -- what is done again and again --------------------------------------------------------------------------------

    def _paste_key(self, text: str) -> None:
        self.kernel.click(self.model, "use_key", remember=False, lasts="", buffers=(text.encode(),))

    def _begin_login(self) -> str:
        """Click; return the link. With many views, the first word of an attempt may be passed over for the next."""
        self.kernel.click(self.model, "sign_in_with_browser")
        self.kernel.wait_for(self.model, attempt="waiting_for_browser")
        return str(self.kernel.status(self.model)["attempt"]["link"])

    def _sign_in(self) -> None:
        deliver(end_of_login(self.cloud, self._begin_login()))
        self.kernel.wait_for(self.model, state="signed_in", attempt="")

    def _interrupt(self, cell: str, function: str) -> None:
        """Press Ctrl-C while the server is slow, in a function of the library that was handed the secret."""
        self.cloud.fault("slow", seconds=4)
        self.run(f"interrupt_in({function!r})\n{cell}", expected="KeyboardInterrupt")
        self.cloud.clear_faults()

    def _see_processes(self) -> None:
        self.places += processes_below(self.kernel.manager.provisioner.pid)

    def _command(self, *words: str, environ: dict[str, str] | None = None, status: int = 0) -> None:
        done = subprocess.run(
            words,
            env={**self.environ, **(environ or {})},
            cwd=self.machine / "notebooks",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, (words, done.stderr)
        self.places.append((f"output of {Path(words[0]).name}", done.stdout + done.stderr))


def _code(address: str) -> str:
    return parse_qs(urlsplit(address).query)["code"][0]


# What was asked for: the key that is to be remembered, and the SDK's own store; both are written as drafts first.
_ASKED_FOR = {
    "key": re.compile(r"notebooks/(\.luminary-auth-\w+/)?\.(env|tmp_\w+)( \(gone\))?"),
    "refresh token": re.compile(r"credentials/(\.(luminary-auth|login)-\w+/)?tokens2( \(gone\))?"),
}


@pytest.fixture(scope="module")
def a_ride(a_loud_sandbox, tmp_path_factory):
    ride = Ride(tmp_path_factory.mktemp("ride"), a_loud_sandbox)
    ride.go()
    ride.hits += Sweep(ride.secrets).search(ride.places)
    return ride


@pytest.mark.parametrize("place", PLACES)
def test_a_planted_secret_is_found(a_ride, place):
    found = {hit.secret for hit in a_ride.hits if hit.place.startswith(PLACES[place])}
    assert {f"{place}, as {form}" for form in NAMED_FORMS} - found == set()


def test_no_secret_is_found_but_where_it_was_asked_for(a_ride):
    assert [hit for hit in a_ride.hits if hit.secret not in a_ride.planted.secrets and not _asked_for(hit)] == []


def test_what_was_asked_for_is_found(a_ride):
    assert {_kind(hit.secret) for hit in a_ride.hits if _asked_for(hit)} == set(_ASKED_FOR)


def test_all_that_passes_the_token_endpoint_was_searched_for_and_needs_escapes(a_ride):
    kinds = {"authorization code", "PKCE verifier", "refresh token", "access token"}
    assert {_kind(label) for label in a_ride.secrets} >= kinds
    assert all('"/+%' in text for label, text in a_ride.secrets.items() if _kind(label) in {"key", "refresh token"})


def _asked_for(hit):
    place = _ASKED_FOR.get(_kind(hit.secret))
    return place is not None and place.fullmatch(hit.place)


def _kind(label):
    return re.sub(r" \d+$", "", label)
