"""The [alerts] part of monitor.toml. Secrets of a target's address come from the environment: ``${NAME}`` in it."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from monitor.errors import ConfigError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Target(BaseModel):
    """Who is told, by an address of Apprise; ``escalation``: only of what nobody acknowledged in time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    url: str = Field(repr=False)
    escalation: bool = False

    @field_validator("url")
    @classmethod
    def _kind_is_known(cls, url: str) -> str:
        if _VARIABLE.fullmatch(url):  # the whole address is a secret
            return url
        scheme, sign, rest = url.partition("://")
        if not (sign and rest):
            raise ValueError("is no address such as slack://${SLACK_TOKEN} or mailto://...")
        from apprise.manager_plugins import NotificationManager

        known = sorted(NotificationManager().schemas())  # type: ignore[no-untyped-call]
        if scheme.lower() not in known:
            near = difflib.get_close_matches(scheme.lower(), known, n=1, cutoff=0.5)
            raise ValueError(
                f"'{scheme}://' is no kind of target" + (f", did you mean '{near[0]}://'?" if near else "")
            )
        return url

    def address(self, environment: Mapping[str, str] = os.environ) -> str:
        """The address with its secrets.

        Raises:
            ConfigError: one of them is not set.
        """
        from urllib.parse import quote

        missing = [name for name in _VARIABLE.findall(self.url) if not environment.get(name)]
        if missing:
            raise ConfigError(
                f"The alert target '{self.name}' needs {missing[0]}, which is not set", "Set it in the environment."
            )
        whole = _VARIABLE.fullmatch(self.url) is not None
        return _VARIABLE.sub(lambda m: environment[m[1]] if whole else quote(environment[m[1]], safe="/"), self.url)


class Alerts(BaseModel):
    """When to say that something is out of the ordinary, and to whom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    targets: tuple[Target, ...] = ()
    false_alarm_weeks: float = Field(default=4.0, gt=0, description="one false alarm in so many, over all detectors")
    min_mentions: int = Field(default=10, ge=1, description="fewer posts are never an alarm")
    history_weeks: int = Field(default=8, ge=3, le=104, description="that the baseline is fitted to")
    cooldown_hours: float = Field(default=6.0, ge=0, description="calm for so long, before an alarm is over")
    escalate_minutes: float = Field(default=60.0, gt=0, description="unacknowledged for so long: escalation targets")
    trouble_minutes: float = Field(default=10.0, gt=0, description="a gap open for so long is an alarm")
    every_seconds: float = Field(default=60.0, ge=1, description="between two looks")

    @model_validator(mode="after")
    def _names_are_unique(self) -> Alerts:
        names = [target.name for target in self.targets]
        if len(set(names)) < len(names):
            raise ValueError("names of targets must be unique")
        return self
