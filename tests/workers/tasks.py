"""What workers are given to do; not imported by the tests' own process, which is bound to no sandbox."""

from collections.abc import Iterator

import luminarycloud as lc

from luminary_auth_widget import sdk


def projects(*_: object) -> list[str]:
    """Return what the account that this process is signed in as may see."""
    return sorted(project.name for project in lc.iterate_projects())


def failure(*_: object) -> str:
    """Return the error of a call, or nothing."""
    try:
        projects()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test looks at
        return f"{type(error).__name__}: {error}"
    return ""


def projects_or_failure(*_: object) -> list[str] | str:
    """Return one or the other, of one call: a sign-out may come between two."""
    try:
        return projects()
    except Exception as error:  # noqa: BLE001 - as above
        return f"{type(error).__name__}: {error}"


def access_token(*_: object) -> str:
    return str(lc.get_default_client().get_token())


def renewals(*_: object) -> list[str]:
    """Renew some times, as after each end of an access token; return the errors."""
    found = []
    for _time in range(4):
        sdk.forget_access_token(lc.get_default_client())
        found.append(failure())
    return [error for error in found if error]


def finds_in_memory(start: str, end: str) -> bool:
    """Return whether the text of the two halves lies in one piece in this process's memory; needs Linux."""
    sought = [start.encode(), end.encode()]
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:  # noqa: PTH123
        for line in maps:
            span, rights = line.split()[:2]
            low, high = (int(part, 16) for part in span.split("-"))
            if rights.startswith("rw") and high < 2**63:
                memory.seek(low)
                try:
                    held = memory.read(high - low)
                except OSError:
                    continue
                if any(held.startswith(sought[1], i + len(sought[0])) for i in _places(held, sought[0])):
                    return True
    return False


def _places(held: bytes, sought: bytes) -> Iterator[int]:
    at = held.find(sought)
    while at >= 0:
        yield at
        at = held.find(sought, at + 1)
