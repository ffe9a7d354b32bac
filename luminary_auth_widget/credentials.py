"""Secrets as a type, and the forgiving of pasted text. Pure values."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn, ParamSpec, TypeVar

from . import words
from .errors import KeyMalformed
from .late import hashlib

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

# Four characters of a shorter text would be too much of it.
_SHORTEST_SHOWN = 12


class Secret:
    """A text that shows itself only where it is handed to the SDK.

    Neither `repr`, `str` and `format`, nor pickling, copying or `vars()` give it away.

    Parameters
    ----------
    value : str
    """

    __slots__ = ("__reveal",)

    def __init__(self, value: str) -> None:
        # A closure instead of an attribute: verbose tracebacks and debuggers print attributes.
        def reveal() -> str:
            return value

        self.__reveal = reveal

    def reveal(self) -> str:
        """Return the text itself; call it only in the argument that needs it."""
        return self.__reveal()

    @property
    def fingerprint(self) -> str:
        """An ellipsis and the last four characters; of a short text the ellipsis alone."""
        text = self.reveal()
        return f"…{text[-4:]}" if len(text) >= _SHORTEST_SHOWN else "…"

    @property
    def digest(self) -> str:
        """A hash to recognise the secret by in our records, 32 hexadecimal digits."""
        return hashlib.sha256(b"luminary-auth-widget\0" + self.reveal().encode()).hexdigest()[:32]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Secret({self.fingerprint})"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(words.NEVER_COPIED)


def interrupted_outside(call: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Let an interrupt during `call` be raised outside of it.

    Verbose tracebacks print the arguments of every frame, and below `call` there are libraries that were handed the
    text of a secret. Their errors are caught where they arise; an interrupt must go on.
    """

    @functools.wraps(call)
    def called(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        try:
            return call(*args, **kwargs)
        except KeyboardInterrupt:
            pass
        raise KeyboardInterrupt

    return called


class CleanedKey(NamedTuple):
    """An API key that can be sent, and what was taken off the text to get there.

    Attributes
    ----------
    secret : Secret
    removed : tuple of str
        In words, in the order of removal: "white space", "LC_API_KEY=", …
    """

    secret: Secret
    removed: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """What was removed, as a sentence; empty when nothing was."""
        return words.REMOVED.format(removed=", ".join(self.removed)) if self.removed else ""


# The largest metadata gRPC takes by default is 8 KiB; a longer text is a file pasted by mistake.
_LONGEST_KEY = 8192
# What people copy along with a key; tried again until nothing matches any more.
_WRAPPINGS = (
    ("export", r"(?s)(?:export|set)\s+(LC_API_KEY\b.*)"),
    ("LC_API_KEY=", r"(?s)LC_API_KEY\s*[=:](.*)"),
    ("api_key=", r"(?s)api_key\s*=(.*)"),
    ("x-api-key:", r"(?si)x-api-key\s*:(.*)"),
    ("Bearer", r"(?si)Bearer\s(.*)"),
    (words.REMOVED_QUOTES, r"(?s)[\"'`“”„‘’«»](.*)[\"'`“”„‘’«»],?"),
    (words.REMOVED_BRACES, r"(?s)\{(.*)\}"),
    (words.REMOVED_ANGLE_BRACKETS, r"(?s)<(.*)>"),
)
# The documentation's own stand-ins for a key; nobody's key is called that.
_PLACEHOLDER = r"(?i)(?:my|your)[_\- ](?:lc[_\- ])?api[_\- ]key"


def clean_key(pasted: Secret) -> CleanedKey:
    """Take an API key out of pasted text.

    White space around it, quotes, the documentation's braces, `LC_API_KEY=`, `export` and `Bearer` are removed, and
    said in the result. No prefix and no least length are assumed.

    Parameters
    ----------
    pasted : Secret
        As pasted, or as read from the environment or a `.env` file.

    Returns
    -------
    CleanedKey

    Raises
    ------
    KeyMalformed
        If what is left is empty, the documentation's placeholder, or holds anything but printable ASCII without blanks:
        the SDK would retry such a key in silence for minutes.
    """
    # Raised here, where no local holds the text: `%xmode Verbose` prints the locals of every frame it passes.
    cleaned, problem = _examine(pasted)
    if problem:
        raise KeyMalformed(problem, next_step=words.GET_A_KEY_NEXT)
    return cleaned


def _examine(pasted: Secret) -> tuple[CleanedKey, str]:
    if len(pasted.reveal()) > _LONGEST_KEY:
        return CleanedKey(pasted), words.KEY_TOO_LONG
    text, removed = _unwrapped(pasted.reveal())
    return CleanedKey(Secret(text), tuple(dict.fromkeys(removed))), _problem_with(text)


def _unwrapped(text: str) -> tuple[str, list[str]]:
    removed: list[str] = []
    before = None
    while before != text:
        before = text
        if (stripped := text.strip()) != text:
            text = stripped
            removed.append(words.REMOVED_WHITE_SPACE)
        for name, wrapping in _WRAPPINGS:
            if match := re.fullmatch(wrapping, text):
                text = match[1]
                removed.append(name)
                break
    return text, removed


def _problem_with(text: str) -> str:
    if not text:
        return words.KEY_NOT_GIVEN
    if re.fullmatch(_PLACEHOLDER, text):
        return words.KEY_PLACEHOLDER
    if re.search(r"[\r\n]", text):
        return words.KEY_OF_SEVERAL_LINES
    if re.search(r"\s", text):
        return words.KEY_WITH_BLANKS
    if odd := next((character for character in text if not "!" <= character <= "~"), ""):
        return words.KEY_WITH_ODD_CHARACTER.format(code=ord(odd))
    return ""
