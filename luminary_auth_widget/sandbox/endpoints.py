"""What machines ask the identity service: tokens, who one is, revocation, discovery; and where traces go."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from .identity import SCOPES, Identity
from .state import Fault
from .tokens import ALGORITHM
from .world import World

_CREDENTIAL_FIELDS = {"refresh_token": "refresh token", "code": "authorization code"}


def endpoints(world: World, identity: Identity) -> Blueprint:
    """Return the endpoints, none of which a browser's cookie opens."""
    blueprint = Blueprint("endpoints", __name__)

    @blueprint.post("/oauth/token")
    def token() -> Response:
        fields = identity.create_oauth2_request(request).form
        field = next((name for name in _CREDENTIAL_FIELDS if fields.get(name)), None)
        kind, secret = (_CREDENTIAL_FIELDS[field], fields[field]) if field else ("none", "")
        with world.recorded("POST /oauth/token", kind, secret) as outcome:
            world.be_slow()
            answer = _trouble() if world.has(Fault.ERROR) else identity.create_token_response()
            outcome.append(str(answer.status_code))
        return answer

    @blueprint.post("/oauth/revoke")
    def revoke() -> Response:
        world.be_slow()
        if world.has(Fault.ERROR):
            return _trouble()
        answer: Response = identity.create_endpoint_response("revocation")
        return answer

    @blueprint.route("/userinfo", methods=["GET", "POST"])
    def userinfo() -> Response:
        scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
        session = identity.tokens.session_of(access_token) if scheme.lower() == "bearer" else None
        if session is None:
            return Response("Unauthorized", 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return jsonify(identity.user_info(session))

    @blueprint.get("/.well-known/openid-configuration")
    def discovery() -> Response:
        issuer = identity.tokens.issuer
        return jsonify(
            issuer=issuer,
            authorization_endpoint=f"{issuer}authorize",
            token_endpoint=f"{issuer}oauth/token",
            userinfo_endpoint=f"{issuer}userinfo",
            revocation_endpoint=f"{issuer}oauth/revoke",
            jwks_uri=f"{issuer}.well-known/jwks.json",
            response_types_supported=["code"],
            grant_types_supported=["authorization_code", "refresh_token"],
            code_challenge_methods_supported=["S256"],
            token_endpoint_auth_methods_supported=["none"],
            revocation_endpoint_auth_methods_supported=["none"],
            scopes_supported=SCOPES,
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=[ALGORITHM],
            prompt_values_supported=["none", "login"],
        )

    @blueprint.get("/.well-known/jwks.json")
    def keys() -> Response:
        return jsonify(identity.tokens.keys.as_dict(private=False))

    @blueprint.post("/v1/traces")
    def traces() -> Response:
        # The SDK's trace exporter would otherwise hold up its process's exit for seconds. What it sends is not read.
        return Response(status=200)

    return blueprint


def _trouble() -> Response:
    answer = jsonify(error="server_error", error_description="The sandbox's fault is switched on.")
    answer.status_code = 500
    return answer
