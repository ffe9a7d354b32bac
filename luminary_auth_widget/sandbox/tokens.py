"""Access tokens: JWTs, signed with a key that lives as long as the process."""

from __future__ import annotations

from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from .handle import AUDIENCE
from .store import Session, Store
from .world import World

# Auth0's setting for such an API; the SDK renews by what the token says.
ACCESS_TOKEN_SECONDS = 24 * 60 * 60
ALGORITHM = "RS256"


class AccessTokens:
    """Who may sign access tokens, and who checks them.

    Parameters
    ----------
    store, world
        Say which sessions live, and what time it is.
    issuer : str
        The identity service's own address, with a slash at its end as Auth0 writes it.
    """

    def __init__(self, store: Store, world: World, issuer: str) -> None:
        self._store = store
        self._world = world
        self.issuer = issuer
        self.keys = KeySet([RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)])

    def lifetime_claims(self, session: Session) -> dict[str, Any]:
        """Return the claims that the sandbox's clock and sessions decide."""
        now = int(self._world.now())
        return {"iat": now, "exp": now + ACCESS_TOKEN_SECONDS, "sid": session.id}

    def session_of(self, token: str) -> Session | None:
        """Return the living session that a token speaks for; None if it is not ours, not any more, or nonsense."""
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._world.now()),
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
        )
        try:
            decoded = jwt.decode(token, self.keys, algorithms=[ALGORITHM])
            registry.validate(decoded.claims)
        except (JoseError, ValueError):
            return None
        if decoded.header.get("typ") != "at+jwt":  # RFC 9068, section 4: an ID token is no access token
            return None
        session = self._store.session(str(decoded.claims.get("sid")))
        return session if session and session.alive(self._world.now()) else None
