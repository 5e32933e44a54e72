"""What the demo says at its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from monitor.analyse.series import Side, Unit
from monitor.study import EventSummary


@dataclass(frozen=True, slots=True)
class Outcome:
    """``played`` counts posts and reposts that went over the wire, ``stored`` those that were kept."""

    played: int
    stored: int
    reposts: int
    deleted: int
    seconds: float
    window_days: float
    events: tuple[EventSummary, ...]

    def as_dict(self) -> dict[str, Any]:
        """The outcome as plain values; ``removal`` counts posts by their most likely stage, then authors and texts."""
        return {
            "synthetic": True,
            "posts": self.played,
            "stored": self.stored,
            "reposts": self.reposts,
            "deleted": self.deleted,
            "seconds": round(self.seconds, 1),
            "window_days": self.window_days,
            "events": [_event(summary) for summary in self.events],
        }


def _event(summary: EventSummary) -> dict[str, Any]:
    return {
        "id": summary.event.id,
        "title": summary.event.title,
        "at": _iso(summary.event.at),
        "before": _side(summary.before),
        "after": _side(summary.after),
    }


def _side(side: Side) -> dict[str, Any]:
    concern = None if side.concern is None else round(side.concern, 3)
    volumes = {unit: side.counted(unit) for unit in get_args(Unit)}
    return {
        **{unit: tally.n for unit, tally in volumes.items()},
        "concern": concern,
        "removal": side.removal,
        "collected": [{"stream": one.stream, "share": round(one.collected, 4)} for one in side.sources],
        **{f"removal_{unit}": dict(volumes[unit].removal) for unit in ("authors", "texts")},
    }


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
