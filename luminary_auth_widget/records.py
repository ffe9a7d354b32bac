"""Our sidecar beside the SDK's token store: what the SDK's files do not say. Atomic, 0600, no secret in it."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .credentials import Secret
from .files import make_private_folder, replacing

_FILE_NAME = "luminary-auth-widget.json"


def credentials_folder() -> Path:
    """Return the folder of the SDK's token store, by the SDK's own rule (0.28.1); it need not exist.

    Guarded by tests/contract/test_sdk.py.
    """
    if chosen := os.environ.get("LC_CREDENTIALS_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home())) / "Roaming" / "luminarycloud"
    return Path("~/.config/luminarycloud").expanduser()


def noted_expiry(key: Secret) -> datetime | None:
    """Return when `key` ends by the person's word, in UTC; None where nothing was noted."""
    noted = _read().get(key.digest)
    with suppress(TypeError, ValueError):
        moment = datetime.fromisoformat(noted)  # type: ignore[arg-type]  # a foreign type is what suppress is for
        return moment.astimezone(timezone.utc) if moment.tzinfo else None
    return None


def note_expiry(key: Secret, expires_at: datetime | None) -> None:
    """Keep the person's word on when `key` ends; None takes it back.

    Raises
    ------
    StorageFailed
    """
    keys = _read()
    keys.pop(key.digest, None)
    if expires_at is not None:
        keys[key.digest] = expires_at.isoformat()
    make_private_folder(credentials_folder())
    with replacing(credentials_folder() / _FILE_NAME) as draft:
        draft.write_text(json.dumps({"noted_key_expiries": keys}, indent=1), encoding="utf-8")


def _read() -> dict[str, Any]:
    # A sidecar that is missing or spoilt costs a countdown, never a sign-in.
    with suppress(OSError, ValueError):
        content = json.loads((credentials_folder() / _FILE_NAME).read_text(encoding="utf-8"))
        keys = content.get("noted_key_expiries") if isinstance(content, dict) else None
        return dict(keys) if isinstance(keys, dict) else {}
    return {}
