"""Which Luminary Cloud this kernel signs in to; and that no environment's secret is sent to the other."""

from __future__ import annotations

from contextlib import suppress

from . import env_file, in_use, sdk, words
from .browser_sign_in import sdk_settings
from .errors import CredentialUnusable, EnvFileUnusable
from .in_use import environment_name
from .sdk import Deployment
from .sources import Source, SourceKind


class Environments:
    """The chosen deployment; until one is chosen, the stored session's own.

    Attributes
    ----------
    deployment : Deployment
    """

    def __init__(self) -> None:
        self.deployment = Deployment()
        self._chosen = False

    def choose(self, environment: str | None, target: str | None) -> None:
        """Change to an environment or a private deployment.

        Raises
        ------
        CredentialUnusable
            There is no such environment.
        SDKUnusable
            The SDK does not tell its settings.
        """
        environment = environment or self.deployment.environment
        if environment not in {"standard", "itar"}:
            raise CredentialUnusable(
                words.ENVIRONMENT_UNKNOWN.format(environment=environment), next_step=words.ENVIRONMENT_UNKNOWN_NEXT
            )
        if environment == "itar" and sdk.in_sandbox():
            raise CredentialUnusable(words.ENVIRONMENT_OF_SANDBOX, next_step=words.ENVIRONMENT_OF_SANDBOX_NEXT)
        settings = sdk_settings(environment) if environment == "itar" else Deployment(environment)
        self.deployment = settings._replace(target=target or settings.target)
        self._chosen = True

    def deployment_for(self, source: Source) -> Deployment:
        """Return where the source's secret belongs: with a key in a file that names its API server, there.

        A file that is loaded once the SDK is imported comes too late for the SDK's own settings.
        """
        named = self._chosen and self.deployment.target is not None
        if named or source.kind is not SourceKind.ENV_FILE or source.path is None:
            return self.deployment
        with suppress(EnvFileUnusable):  # by now
            if server := env_file.server_of_key(source.path):
                return self.deployment._replace(target=server)
        return self.deployment

    def allow(self, source: Source) -> bool:
        """Whether the source's secret may be sent to the deployment; while none is chosen, the source's is followed."""
        environment = in_use.environment_of(source)
        if environment is None:
            # A session of unknown origin was made by the SDK's own login, which is the standard one unless told.
            return source.session is None or self.deployment.environment == "standard"
        if self._chosen or source.session is None:
            return environment == self.deployment.environment and not self._is_for_another_server(source)
        self.deployment = in_use.for_source(source, Deployment(environment)).deployment
        return True

    def _is_for_another_server(self, source: Source) -> bool:
        """Whether a session was made for another API server than the private deployment that was named."""
        target = self.deployment.target
        made_for = in_use.for_source(source, self.deployment).deployment
        return self._chosen and target is not None and made_for.address != target


def refusal(source: Source, deployment: Deployment | None = None) -> CredentialUnusable:
    """Return why the source's secret was not sent to the deployment."""
    known = in_use.environment_of(source)
    environment = environment_name(known or "standard")
    if source.session and deployment and known == deployment.environment:
        host = in_use.for_source(source, deployment).deployment.host
        return CredentialUnusable(
            words.SESSION_OF_OTHER_SERVER.format(host=host), next_step=words.SESSION_OF_OTHER_SERVER_NEXT
        )
    if source.session:
        message = words.FOREIGN_SESSION.format(environment=environment)
    else:
        message = words.FOREIGN_KEY.format(source=source.label, environment=environment)
    return CredentialUnusable(message, next_step=words.FOREIGN_NEXT)
