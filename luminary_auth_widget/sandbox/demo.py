"""Who and what there is in a new sandbox. Names and passwords are shown on its pages: none of them is a secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone


@dataclass(frozen=True)
class DemoAccount:
    """Somebody to log in as."""

    email: str
    name: str
    password: str


@dataclass(frozen=True)
class DemoProject:
    """Something to list; `members` are e-mail addresses."""

    id: str
    name: str
    description: str
    created_at: datetime
    storage_bytes: int
    members: tuple[str, ...]


ADA = DemoAccount("ada@example.com", "Ada Lovelace", "analytical-engine")
GRACE = DemoAccount("grace@example.com", "Grace Hopper", "nanosecond-wire")
ACCOUNTS = (ADA, GRACE)


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 9, tzinfo=timezone.utc)


PROJECTS = (
    DemoProject(
        "p-5e1f7c0a-drivaer",
        "DrivAer notchback, yaw sweep",
        "Drag and side force at 0 to 12 degrees of yaw, 40 m/s, moving ground.",
        _day(2026, 3, 9),
        48_318_382_080,
        (ADA.email,),
    ),
    DemoProject(
        "p-0b8a93d4-heatsink",
        "Folded-fin heat sink",
        "Conjugate heat transfer, 60 W source, three fan curves.",
        _day(2026, 1, 20),
        3_650_722_201,
        (ADA.email,),
    ),
    DemoProject(
        "p-c4d20e6b-crm-hl",
        "NASA CRM high-lift",
        "Common Research Model at landing flaps, angle of attack to stall; shared between both accounts.",
        _day(2025, 11, 4),
        131_970_697_216,
        (ADA.email, GRACE.email),
    ),
    DemoProject(
        "p-71f3a8e9-pump",
        "Centrifugal pump, cavitation onset",
        "Head and efficiency over flow rate, NPSH margin at design speed.",
        _day(2026, 4, 2),
        17_716_740_096,
        (GRACE.email,),
    ),
    DemoProject(
        "p-29be640d-cabin",
        "Cabin ventilation, summer case",
        "Age of air and thermal comfort for a full cabin, 35 °C outside.",
        _day(2026, 2, 14),
        9_019_431_321,
        (GRACE.email,),
    ),
)
