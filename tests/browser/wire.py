"""What page and kernel say to each other, read off the page's web socket."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, WebSocket


@dataclass(frozen=True)
class Frame:
    """One message, as it travelled."""

    sent: bool
    kind: str
    content: dict[str, Any]
    data: bytes

    @property
    def of_a_widget(self) -> bool:
        """Whether it opens, changes or shows a widget, or comes from one."""
        return self.kind in {"comm_open", "comm_msg"} or "application/vnd.jupyter.widget-view+json" in self.content.get(
            "data", {}
        )


def listen(page: Page) -> list[Frame]:
    """Return a list that grows with each message between this page and its kernels; to be called before it opens."""
    frames: list[Frame] = []

    def follow(socket: WebSocket) -> None:
        if "/channels" in socket.url:
            socket.on("framesent", lambda data: frames.append(_read(data, sent=True)))
            socket.on("framereceived", lambda data: frames.append(_read(data, sent=False)))

    page.on("websocket", follow)
    return frames


def until_shown(frames: list[Frame]) -> list[Frame]:
    """Return what the kernel has said of widgets until it showed the first: what the page needs to draw it."""
    said = [frame for frame in frames if frame.of_a_widget and not frame.sent]
    shown = next(place for place, frame in enumerate(said) if frame.kind in {"display_data", "execute_result"})
    return said[: shown + 1]


def _read(data: str | bytes, *, sent: bool) -> Frame:
    """Read jupyter_server's framing, v1.kernel.websocket.jupyter.org: how many offsets, these, then the parts."""
    data = data.encode() if isinstance(data, str) else data
    count = int.from_bytes(data[:8], "little")
    ends = [int.from_bytes(data[8 * place : 8 * place + 8], "little") for place in range(1, count + 1)]
    _channel, header, _parent, _metadata, content, *_buffers = (
        data[start:end] for start, end in zip(ends, [*ends[1:], len(data)], strict=True)
    )
    return Frame(sent, json.loads(header)["msg_type"], json.loads(content), data)
