"""The identity service: OAuth 2 with PKCE as the real one speaks it, by Authlib; ours is where things are kept."""

from __future__ import annotations

import logging
import secrets
import threading
from dataclasses import dataclass
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Request
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin, InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Request, Response
from flask import request as current_request

from .handle import AUDIENCE, CLIENT_ID
from .store import Session, Store, new_secret
from .tokens import ACCESS_TOKEN_SECONDS, AccessTokens
from .world import World

# The SDK's own list: its `ALLOWED_CALLBACK_PORTS`.
CALLBACK_ORIGINS = tuple(f"http://127.0.0.1:{port}" for port in (10001, 9876, 22223, 5000))
SCOPES = ("openid", "profile", "email", "offline_access")
# 30 days: documented lifetime. Renewing does not extend it.
SESSION_SECONDS = 30 * 24 * 60 * 60
# RFC 6749 allows 10 minutes; the SDK needs one round trip.
_CODE_SECONDS = 60
# Authlib (1.7) writes whole tokens into its log, at level DEBUG.
_AUTHLIB_LOG = logging.getLogger("authlib")


class Identity(AuthorizationServer):  # type: ignore[misc] # Authlib ships no types
    """Authlib's server over our store.

    Parameters
    ----------
    store, world, tokens
    rotate : bool
        Whether each renewal gives a new refresh token and uses the old one up.
    """

    def __init__(self, store: Store, world: World, tokens: AccessTokens, *, rotate: bool) -> None:
        super().__init__(query_client=lambda client_id: _SdkClient() if client_id == CLIENT_ID else None)
        self.store, self.world, self.tokens, self.rotate = store, world, tokens, rotate
        self.scopes_supported = list(SCOPES)
        self._save_token = self._keep_refresh_token
        self._one_at_a_time = threading.Lock()
        _AUTHLIB_LOG.addHandler(logging.NullHandler())
        _AUTHLIB_LOG.propagate = False
        self.register_token_generator("default", _TokenGenerator(tokens))
        self.register_grant(_CodeGrant, [_S256Required(), _IdToken(self)])
        self.register_grant(_RefreshGrant)
        self.register_endpoint(_Revocation)

    def create_oauth2_request(self, request: Request | None) -> FlaskOAuth2Request:
        """Read a form or, as the SDK sends it, JSON."""
        return _FormOrJson(request or current_request)

    def create_token_response(self, request: Request | None = None) -> Response:
        """Answer one request after the other: of two that use the same code or token, one is the second."""
        with self._one_at_a_time:
            response: Response = super().create_token_response(request)
        return response

    def user_info(self, session: Session) -> UserInfo:
        """Return what a session's scope lets its client know about the account."""
        account = self.store.account(session.email)
        name = account.name if account else ""
        info = UserInfo(sub=_subject(session), name=name, email=session.email, email_verified=True)
        return info.filter(session.scope)

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Response:
        """Answer a dead refresh token or code with 403, as Auth0 does and the SDK's users see."""
        if isinstance(error, InvalidGrantError):
            error.status_code = 403
        response: Response = super().handle_error_response(request, error)
        return response

    def _keep_refresh_token(self, token: dict[str, Any], request: Any) -> None:
        if "refresh_token" in token:
            self.store.save_refresh_token(token["refresh_token"], request.user.session.id)


@dataclass(frozen=True)
class _User:
    """Who a token is for, in the terms that Authlib asks in."""

    session: Session

    def get_user_id(self) -> str:
        return _subject(self.session)


def _subject(session: Session) -> str:
    return f"sandbox|{session.email}"


class _SdkClient(ClientMixin):  # type: ignore[misc]
    """The one client: the SDK. It is public, so PKCE is its proof."""

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(name for name in (scope or "").split() if name in SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in {f"{origin}/callback" for origin in CALLBACK_ORIGINS}

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 - Authlib's signature
        return method == "none"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in {"authorization_code", "refresh_token"}


class _FormOrJson(FlaskOAuth2Request):  # type: ignore[misc]
    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._json: dict[str, str] | None = None
        if request.is_json:
            body = request.get_json(silent=True)
            self._json = {n: v for n, v in body.items() if isinstance(v, str)} if isinstance(body, dict) else {}
            self.payload = BasicOAuth2Payload(self._json)

    @property
    def form(self) -> Any:
        return super().form if self._json is None else self._json


class _TokenGenerator(JWTBearerTokenGenerator):  # type: ignore[misc]
    def __init__(self, tokens: AccessTokens) -> None:
        super().__init__(
            tokens.issuer,
            refresh_token_generator=lambda **_: new_secret("rt_sandbox_"),
            expires_generator=ACCESS_TOKEN_SECONDS,
        )
        self._tokens = tokens

    def __call__(self, *, scope: str, include_refresh_token: bool = True, **about: Any) -> dict[str, Any]:
        # OpenID Connect Core, section 11: a refresh token is for whoever asks for it by `offline_access`.
        offline = include_refresh_token and "offline_access" in scope.split()
        token: dict[str, Any] = super().__call__(scope=scope, include_refresh_token=offline, **about)
        return token

    def get_jwks(self) -> Any:
        return self._tokens.keys

    def get_audiences(self, client: Any, user: Any, scope: str) -> str:  # noqa: ARG002
        return AUDIENCE

    def get_extra_claims(self, client: Any, grant_type: str, user: _User, scope: str) -> dict[str, Any]:  # noqa: ARG002
        return self._tokens.lifetime_claims(user.session)


@dataclass(frozen=True)
class _Code:
    """An authorization code's request, in the terms that Authlib asks in."""

    request: dict[str, str]

    def get_redirect_uri(self) -> str:
        return self.request["redirect_uri"]

    def get_scope(self) -> str:
        return self.request["scope"]

    def get_nonce(self) -> str:
        return self.request["nonce"]

    def get_auth_time(self) -> None:
        return None

    get_acr = get_amr = get_auth_time

    @property
    def code_challenge(self) -> str:
        return self.request["code_challenge"]

    @property
    def code_challenge_method(self) -> str:
        return "S256"


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    server: Identity
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def validate_authorization_request(self) -> Any:
        redirect_uri = super().validate_authorization_request()
        # RFC 6749 recommends it; whoever leaves it out cannot tell its own sign-in from one that was slipped to it.
        if not self.request.payload.state:
            raise InvalidRequestError("Missing 'state' in request.", redirect_uri=redirect_uri)
        # Auth0 knows its services, and issues nothing for others.
        if self.request.payload.data.get("audience", AUDIENCE) != AUDIENCE:
            raise InvalidRequestError("Unknown 'audience' in request.", redirect_uri=redirect_uri)
        return redirect_uri

    def save_authorization_code(self, code: str, request: Any) -> None:
        kept = {
            "email": request.user.email,
            "redirect_uri": request.payload.redirect_uri,
            "scope": request.scope,
            "code_challenge": request.payload.data["code_challenge"],
            "nonce": request.payload.data.get("nonce", ""),
            "session_id": secrets.token_hex(16),
        }
        self.server.store.save_code(code, self.server.world.now() + _CODE_SECONDS, kept)

    def query_authorization_code(self, code: str, client: Any) -> _Code | None:  # noqa: ARG002
        request = self.server.store.take_code(code, self.server.world.now())
        return _Code(request) if request else None

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        """Do nothing: looking it up has used it up, also when what follows fails."""

    def authenticate_user(self, authorization_code: _Code) -> _User:
        request, ends = authorization_code.request, self.server.world.now() + SESSION_SECONDS
        return _User(self.server.store.open_session(request["session_id"], request["email"], request["scope"], ends))


class _S256Required(CodeChallenge):  # type: ignore[misc]
    """Authlib alone lets a request without PKCE pass until the token endpoint, and knows the method "plain"."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        if grant.request.payload.data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE with 'code_challenge_method=S256' is required.")
        super().validate_code_challenge(grant, redirect_uri)


class _IdToken(OpenIDCode):  # type: ignore[misc]
    """Who has signed in, for clients that ask for the scope `openid`; and what `prompt` means."""

    def __init__(self, identity: Identity) -> None:
        super().__init__()
        self._identity = identity

    def exists_nonce(self, nonce: str, request: Any) -> bool:  # noqa: ARG002
        # A replayed nonce is the client's to notice.
        return False

    def resolve_client_private_key(self, client: Any) -> Any:  # noqa: ARG002
        return self._identity.tokens.keys

    def get_compatible_claims(self, request: Any) -> dict[str, Any]:
        return {
            "iss": self._identity.tokens.issuer,
            "aud": CLIENT_ID,
            **self._identity.tokens.lifetime_claims(request.user.session),
        }

    def generate_user_info(self, user: _User, scope: str) -> UserInfo:  # noqa: ARG002
        return self._identity.user_info(user.session)


@dataclass(frozen=True)
class _RefreshToken:
    """A refresh token and its session, in the terms that Authlib asks in."""

    token: str
    session: Session

    def check_client(self, client: Any) -> bool:
        return bool(client.get_client_id() == CLIENT_ID)

    def get_scope(self) -> str:
        return self.session.scope


class _RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    server: Identity
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    @property
    def INCLUDE_NEW_REFRESH_TOKEN(self) -> bool:  # noqa: N802 - Authlib's name
        return self.server.rotate

    def authenticate_refresh_token(self, refresh_token: str) -> _RefreshToken | None:
        session, used_up = self.server.store.refresh_token_session(refresh_token)
        if session and used_up:
            # Two hold what one should: nobody can tell which is the thief (RFC 9700, section 4.14.2).
            self.server.store.end_session(session.id)
            return None
        return _RefreshToken(refresh_token, session) if session and session.alive(self.server.world.now()) else None

    def authenticate_user(self, refresh_token: _RefreshToken) -> _User:
        return _User(refresh_token.session)

    def revoke_old_credential(self, refresh_token: _RefreshToken) -> None:
        if self.server.rotate:
            self.server.store.use_up_refresh_token(refresh_token.token)


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    server: Identity
    CLIENT_AUTH_METHODS = ("none",)

    def query_token(self, token_string: str, token_type_hint: str | None) -> _RefreshToken | None:  # noqa: ARG002
        # Either token stands for its session, and ends it.
        session, _ = self.server.store.refresh_token_session(token_string)
        session = session or self.server.tokens.session_of(token_string)
        return _RefreshToken(token_string, session) if session else None

    def revoke_token(self, token: _RefreshToken, request: Any) -> None:  # noqa: ARG002
        self.server.store.end_session(token.session.id)
