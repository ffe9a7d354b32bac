"""A real kernel, driven as a front end drives it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from queue import Empty
from typing import IO, Any

import psutil
import requests
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager

from luminary_auth_widget.sandbox import Sandbox
from tests.sandbox.helpers import ADA, Browser

# Where a login may come back to: the SDK's own list.
PORTS = (10001, 9876, 22223, 5000)
# A cell of these tests takes a second or two, the import of the SDK included.
LIMIT_SECONDS = 60
# The interpreter whose ipykernel is tested: this one, or another environment's (`make matrix`).
PYTHON = os.environ.get("KERNEL_PYTHON") or sys.executable
SILENT = "The kernel has gone silent."


@cache
def ipykernel_version() -> tuple[int, ...]:
    """Return the version of PYTHON's ipykernel; a kernel itself tells IPython's."""
    tell = "import importlib.metadata; print(importlib.metadata.version('ipykernel'))"
    found = subprocess.run([PYTHON, "-c", tell], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, found.split(".")[:3]))


class _OnePython(KernelSpecManager):
    """Knows the kernel of PYTHON alone, whatever is installed on this machine."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [PYTHON, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python", metadata={"debugger": False})


@dataclass
class Ran:
    """What one cell gave back."""

    text: str = ""
    error: str = ""
    traceback: str = ""
    models: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)


class Kernel:
    """A kernel process of its own; `run` a cell, `click` in the widget, `wait_for` a state of the session."""

    def __init__(
        self,
        folder: Path,
        environ: dict[str, str],
        arguments: tuple[str, ...] = (),
        log: IO[bytes] | None = None,
    ):
        self.folder = folder
        self.messages: list[dict[str, Any]] = []
        self.replies: list[dict[str, Any]] = []
        self.traits: dict[str, dict[str, Any]] = {}
        # What the widget has told its views last.
        self.last_status: dict[str, Any] = {}
        self.manager = KernelManager(kernel_name="python3", kernel_spec_manager=_OnePython())
        self.manager.start_kernel(cwd=str(folder), env=environ, extra_arguments=list(arguments), stdout=log, stderr=log)
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=LIMIT_SECONDS)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    def run(self, code: str, *, cell: str = "", **options: Any) -> Ran:
        """Run a cell to its end and return what it printed, showed and raised; `cell` is a notebook's id of it."""
        return self.end_of(self.begin(code, cell=cell, **options))

    def begin(self, code: str, *, cell: str = "", allow_stdin: bool = True) -> str:
        """Send a cell; return the request's id. What runs a notebook for nobody allows no input."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "stop_on_error": True}
        message = self.client.session.msg("execute_request", {**content, "allow_stdin": allow_stdin})
        message["metadata"] = {"cellId": cell} if cell else {}
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def end_of(self, request: str) -> Ran:
        """Follow the cell that was sent as `request` to its end."""
        ran = Ran()
        for message in self._messages_of(request):
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    ran.text += content["text"]
                    ran.order.append(content["text"])
                case "execute_result" | "display_data":
                    model = content["data"].get("application/vnd.jupyter.widget-view+json", {}).get("model_id")
                    ran.models += [model] if model else []
                    ran.text += "" if model else content["data"].get("text/plain", "")
                    ran.order.append("widget" if model else "result")
                case "error":
                    ran.error = f"{content['ename']}: {content['evalue']}"
                    ran.traceback = "\n".join(content["traceback"])
                case "status" if content["execution_state"] == "idle":
                    break
        self._take_reply(request)
        return ran

    def _take_reply(self, request: str) -> None:
        """Wait for the kernel's reply to a cell.

        ipykernel 7.0 to 7.3 may never read what arrives in the instant in which it sends one (ipython/ipykernel#1554):
        nothing is sent before it is here.
        """
        while not any(reply["parent_header"].get("msg_id") == request for reply in self.replies):
            with _silence():
                self.replies.append(self.client.get_shell_msg(timeout=LIMIT_SECONDS))

    def click(
        self, model: str, kind: str, *, buffers: tuple[bytes, ...] = (), subshell: str | None = None, **content: Any
    ) -> None:
        """Send what the page sends when a control of the widget is used; JupyterLab sends it to a subshell."""
        body = {"comm_id": model, "data": {"method": "custom", "content": {"kind": kind, **content}}}
        message = self.client.session.msg("comm_msg", body)
        message["header"]["subshell_id"] = subshell
        self.client.session.send(self.client.shell_channel.socket, message, buffers=list(buffers))
        self._last_click: str = message["header"]["msg_id"]

    def has_handled_the_click(self) -> None:
        """Wait until the kernel is done with the last click, on whatever shell."""
        while True:
            message = self._next_message()
            of_the_click = message["parent_header"].get("msg_id") == self._last_click
            if of_the_click and message["content"].get("execution_state") == "idle":
                return

    def create_subshell(self) -> str:
        """Return the id of a new subshell: what is sent there is handled while a cell runs."""
        request = self.client.session.msg("create_subshell_request")
        self.client.control_channel.send(request)
        reply: dict[str, Any] = self.client.control_channel.get_msg(timeout=LIMIT_SECONDS)
        return str(reply["content"]["subshell_id"])

    def wait_for(self, model: str, **wanted: Any) -> dict[str, Any]:
        """Wait until the widget's synced traits have the values; return all of them."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline:
            traits = self.traits.get(model, {})
            if all(traits.get(name) == value for name, value in wanted.items()):
                return traits
            self._next_message()
        raise AssertionError(f"The widget never came to {wanted}: {self.traits.get(model)}")

    def status(self, model: str) -> dict[str, Any]:
        """Say hello, as a new view does, and return the status message that comes back."""
        self.click(model, "hello")
        while True:
            message = self._next_message()
            data = message["content"].get("data", {})
            greeted = message["parent_header"].get("msg_id") == self._last_click
            if greeted and message["msg_type"] == "comm_msg" and data.get("method") == "custom":
                status: dict[str, Any] = data["content"]
                return status

    def wait_for_message(self, model: str, sentence: str) -> dict[str, Any]:
        """Wait until the attempt that is shown says `sentence`; return the status message."""
        return self.wait_until(
            model, lambda status: bool(status["attempt"] and sentence in status["attempt"]["message"])
        )

    def wait_for_title(self, model: str, title: str) -> dict[str, Any]:
        """Wait until the widget's first line reads `title`; return the status message."""
        return self.wait_until(model, lambda status: status["title"] == title)

    def wait_for_link(self) -> str:
        """Wait until a view that has said hello is sent a link, also while a cell runs."""
        while not (self.last_status.get("attempt") or {}).get("link"):
            self._next_message()
        return str(self.last_status["attempt"]["link"])

    def wait_until(self, model: str, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + LIMIT_SECONDS
        status = self.status(model)
        while not is_it(status):
            assert time.monotonic() < deadline, f"The widget never came to it: {status}"
            self._next_message()
            status = self.last_status
        return status

    def begin_login(self, model: str) -> str:
        """Click *Sign in with browser*; return the link."""
        self.click(model, "sign_in_with_browser")
        self.wait_for(model, attempt="starting")
        self.wait_for(model, attempt="waiting_for_browser")
        return str(self.status(model)["attempt"]["link"])

    def has_begun(self, request: str) -> None:
        """Wait until the cell that was sent as `request` runs."""
        next(message for message in self._messages_of(request) if message["msg_type"] == "execute_input")

    def has_printed(self, request: str, words: str) -> None:
        """Wait until the cell that was sent as `request` has printed `words`."""
        next(message for message in self._messages_of(request) if words in message["content"].get("text", ""))

    def has_shown_the_widget(self, request: str) -> None:
        """Wait until the cell that was sent as `request` has shown the widget."""
        next(message for message in self._messages_of(request) if message["msg_type"] == "display_data")

    def sign_in(self, model: str, cloud: Sandbox, account: tuple[str, str] = ADA) -> dict[str, Any]:
        """Do all that a person does with the browser on this machine; return the traits."""
        deliver(end_of_login(cloud, self.begin_login(model), account))
        return self.wait_for(model, state="signed_in", attempt="")

    def paste(self, model: str, address: str) -> None:
        self.click(model, "paste_callback", buffers=(address.encode(),))

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.manager.provisioner.pid)

    def children(self) -> list[psutil.Process]:
        """Return the login children that run."""
        found = []
        for child in self.process.children():
            with suppress(psutil.Error):  # it is ending
                found += [child] if "login_worker.py" in " ".join(child.cmdline()) else []
        return found

    def broadcast(self) -> str:
        """Return all that the kernel has told everybody so far."""
        return json.dumps(self.messages, default=str)

    def _messages_of(self, request: str) -> Iterator[dict[str, Any]]:
        """Yield what has come of a cell, then what comes."""
        seen = 0
        while True:
            for message in self.messages[seen:]:
                seen += 1
                if message["parent_header"].get("msg_id") == request:
                    yield message
            self._next_message()

    @property
    def has_subshells(self) -> bool:
        """Whether it handles messages while a cell runs (ipykernel 7)."""
        reply = self.client.kernel_info(reply=True, timeout=LIMIT_SECONDS)
        return "kernel subshells" in reply["content"].get("supported_features", [])

    def _next_message(self) -> dict[str, Any]:
        with _silence():
            message: dict[str, Any] = self.client.get_iopub_msg(timeout=LIMIT_SECONDS)
        self.messages.append(message)
        content = message["content"]
        if message["msg_type"] in {"comm_open", "comm_msg"} and "state" in content.get("data", {}):
            self.traits.setdefault(content["comm_id"], {}).update(content["data"]["state"])
        if message["msg_type"] == "comm_msg" and content.get("data", {}).get("method") == "custom":
            self.last_status = content["data"]["content"]
        return message


@contextmanager
def _silence() -> Iterator[None]:
    """Say what it means that no message has come."""
    try:
        yield
    except Empty:
        raise AssertionError(SILENT) from None


def end_of_login(cloud: Sandbox, link: str, account: tuple[str, str] = ADA) -> str:
    """Log in on the page behind `link`, and return the address on which the browser ends."""
    with Browser(cloud) as browser:
        # Over https: see Browser.
        page = browser.session.get(link.replace(cloud.page_url, cloud.url), timeout=5)
        landed = browser.send(page, email=account[0], password=account[1])
    assert landed.status_code == 302, landed.text
    return landed.headers["Location"]


def deliver(address: str) -> requests.Response:
    """Open `address`, as a browser on the kernel's machine does."""
    with requests.Session() as browser:
        browser.trust_env = False
        return browser.get(address, timeout=5)


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether a server could begin to listen now, past connections that are still being forgotten."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((host, port))
            server.listen()
        except OSError:
            return False
        return True


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file and folder below `folder`, with what it holds."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}
