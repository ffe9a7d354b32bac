"""A real kernel, driven as a front end drives it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.manager import KernelManager

# A cell of these tests takes a second or two, the import of the SDK included.
LIMIT_SECONDS = 60


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

    def __init__(self, folder: Path, environ: dict[str, str], arguments: tuple[str, ...] = ()):
        self.folder = folder
        self.messages: list[dict[str, Any]] = []
        self.traits: dict[str, dict[str, Any]] = {}
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(folder), env=environ, extra_arguments=list(arguments))
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=LIMIT_SECONDS)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    def run(self, code: str, **options: Any) -> Ran:
        """Run a cell to its end and return what it printed, showed and raised."""
        ran, request = Ran(), self.client.execute(code, **options)
        while True:
            message = self._next_message()
            if message["parent_header"].get("msg_id") != request:
                continue
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
                    return ran

    def click(self, model: str, kind: str, *, buffers: tuple[bytes, ...] = (), **content: Any) -> None:
        """Send what the page sends when a control of the widget is used."""
        body = {"comm_id": model, "data": {"method": "custom", "content": {"kind": kind, **content}}}
        message = self.client.session.msg("comm_msg", body)
        self.client.session.send(self.client.shell_channel.socket, message, buffers=list(buffers))
        self._last_click: str = message["header"]["msg_id"]

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

    def _next_message(self) -> dict[str, Any]:
        try:
            message: dict[str, Any] = self.client.get_iopub_msg(timeout=LIMIT_SECONDS)
        except Empty:
            raise AssertionError("The kernel has gone silent.") from None
        self.messages.append(message)
        content = message["content"]
        if message["msg_type"] in {"comm_open", "comm_msg"} and "state" in content.get("data", {}):
            self.traits.setdefault(content["comm_id"], {}).update(content["data"]["state"])
        return message
