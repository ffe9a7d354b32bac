"""What plays the SDK's and the browser's part where the real ones would only be slower."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import grpc
import requests

from luminary_auth_widget.sandbox import Sandbox

ADA = ("ada@example.com", "analytical-engine")
GRACE = ("grace@example.com", "nanosecond-wire")
CALLBACK = "http://127.0.0.1:10001/callback"
LIST_PROJECTS = "/luminary.proto.api.v0.luminarycloud.project.ProjectService/ListProjects"


def eventually(holds: Callable[[], object], within: float = 5.0, every: float = 0.02) -> bool:
    """Return whether something comes true before the deadline, looked at `every` so many seconds."""
    deadline = time.monotonic() + within
    while not (true := holds()) and time.monotonic() < deadline:
        time.sleep(every)  # between two looks at another process
    return bool(true)


def pid_of(cloud: Sandbox) -> int:
    return int(json.loads((cloud.folder / "sandbox.json").read_text())["pid"])


def status_of(cloud: Sandbox, *, key: str = "", token: str = "") -> str:
    """Return what the API answers a credential, as gRPC's name for it."""
    with open(cloud.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"], "rb") as roots:  # noqa: PTH123
        credentials = grpc.ssl_channel_credentials(roots.read())
    metadata = [("x-api-key", key)] if key else [("authorization", f"Bearer {token}")] if token else []
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.secure_channel(cloud.environ["LC_DOMAIN"], credentials, options) as channel:
        call = channel.unary_unary(LIST_PROJECTS, request_serializer=bytes, response_deserializer=bytes)
        try:
            call(b"", timeout=5, metadata=metadata)
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"


class Browser:
    """A browser: cookies, forms, redirects one at a time.

    Over https, because this cookie jar, unlike browsers, keeps Secure cookies from http://localhost.
    """

    def __init__(self, cloud: Sandbox) -> None:
        self.url = cloud.url
        self.session = requests.Session()
        self.session.trust_env = False
        # Without the machine's own CAs, which take requests longer to read than the sandbox to answer.
        self.session.verify = str(cloud.folder / "ca.pem")

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()

    def get(self, path: str, **params: str) -> requests.Response:
        return self.session.get(f"{self.url}/{path}", params=params, allow_redirects=False, timeout=5)

    def send(self, page: requests.Response, path: str | None = None, **fields: str) -> requests.Response:
        """Send the form of `page`, with the token that stands in it."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token, page.text
        return self.session.post(
            f"{self.url}/{path}" if path else page.url,
            {"csrf_token": token[1], **fields},
            headers={"Referer": page.url},
            allow_redirects=False,
            timeout=5,
        )

    def log_in(self, account: tuple[str, str] = ADA) -> requests.Response:
        return self.send(self.get("login"), email=account[0], password=account[1])

    def authorize(self, **changes: str | None) -> tuple[requests.Response, str]:
        """Open a sign-in link as the SDK builds it, with changes; return what came back, and the link's verifier."""
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        link = {
            "audience": "https://apis.sandbox.invalid",
            "client_id": "luminary-sandbox-sdk",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "response_type": "code",
            "scope": "openid profile email offline_access",
            "state": "a-state",
            "redirect_uri": CALLBACK,
        }
        return self.get("authorize", **{n: v for n, v in (link | changes).items() if v is not None}), verifier

    def sign_in(self, account: tuple[str, str] = ADA) -> dict[str, Any]:
        """Do all of the SDK's sign-in; return the tokens."""
        page, verifier = self.authorize(prompt="login")
        landed = self.send(page, email=account[0], password=account[1])
        answer = self.exchange(callback_fields(landed)["code"], verifier)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def exchange(self, code: str, verifier: str, **changes: str) -> requests.Response:
        fields = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": CALLBACK}
        return self.token(**(fields | changes))

    def renew(self, refresh_token: str) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    def revoke(self, **fields: str) -> requests.Response:
        body = {"client_id": "luminary-sandbox-sdk", **fields}
        return self.session.post(f"{self.url}/oauth/revoke", body, timeout=5)

    def token(self, **fields: str) -> requests.Response:
        body = {"client_id": "luminary-sandbox-sdk", **fields}
        return self.session.post(f"{self.url}/oauth/token", json=body, timeout=5)


def callback_fields(landed: requests.Response) -> dict[str, str]:
    """Return what the redirect to the SDK's callback carries."""
    assert landed.status_code == 302, landed.text
    address = landed.headers["Location"]
    assert address.startswith(CALLBACK), address
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
