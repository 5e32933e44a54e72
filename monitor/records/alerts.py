"""What an alert is: a finding that was out of the ordinary, what became of it, and who was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from monitor.records.derived import Estimate

Detector = Literal["volume", "concern", "removal", "thread", "phrase", "collection", "spend"]
Told = Literal["firing", "escalated", "resolved"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one detector says of one topic now.

    ``subject`` is what a detector of no topic is about: a stream, a budget. ``is_alarm`` is None where it cannot tell;
    ``sentence`` says why. ``rate`` states how often it fires for nothing. ``thread`` and ``first`` are keys of posts.
    """

    topic: str
    detector: Detector
    subject: str
    began_at: datetime
    is_alarm: bool | None
    sentence: str
    rate: str = ""
    estimate: Estimate | None = None
    thread: int | None = None
    first: int | None = None
    phrases: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        return self.topic, self.detector, self.subject


@dataclass(frozen=True, slots=True)
class Alert:
    """One alarm from its beginning to its end.

    The program writes ``fired_at``, ``seen_at`` (last time in alarm), ``woken_at`` (after a snooze, still in alarm),
    ``escalated_at`` and ``resolved_at``; people write ``acknowledged_at`` and ``snoozed_until``.
    """

    id: str
    topic: str
    detector: Detector
    subject: str
    began_at: datetime
    fired_at: datetime
    seen_at: datetime
    sentence: str
    rate: str
    estimate: Estimate | None = None
    thread: int | None = None
    first: int | None = None
    phrases: tuple[str, ...] = ()
    woken_at: datetime | None = None
    escalated_at: datetime | None = None
    resolved_at: datetime | None = None
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.topic, self.detector, self.subject

    def state(self, now: datetime) -> Literal["firing", "acknowledged", "snoozed", "resolved"]:
        """Where it stands."""
        if self.resolved_at is not None:
            return "resolved"
        if self.snoozed_until is not None and now < self.snoozed_until:
            return "snoozed"
        return "acknowledged" if self.acknowledged_at is not None else "firing"


@dataclass(frozen=True, slots=True)
class Message:
    """One state of an alert that one target is to be told; ``round`` grows with every waking from a snooze."""

    alert: str
    state: Told
    round: int
    target: str

    @property
    def key(self) -> str:
        """The same however often it is sent: receivers can tell a repetition by it."""
        return f"{self.alert}-{self.state}-{self.round}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message. Begun but not sent: the program stopped, or the target did not answer, meanwhile."""

    message: Message
    created_at: datetime
    begun_at: datetime | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    given_up: bool = False
    fault: str = ""
