"""monitor.toml becomes one frozen ``Config``; secrets come from the environment only.

An unknown key is refused and the nearest known one is named: a misspelt rule that is silently
ignored would lose posts that nobody can collect again.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import regex
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from monitor.alert_settings import Alerts
from monitor.errors import ConfigError
from monitor.records import EventKind

DEFAULT_PATH = Path("monitor.toml")
# Rule ids that no rule of the operator may have.
THREAD_RULE = "thread"  # of a reply to, quote or repost of a stored post
IMPORT_RULE = "import"  # of what was imported whole, whether a rule matches or not


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_utc)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
Phrase = Annotated[str, Field(min_length=1, max_length=500)]
HttpUrl = Annotated[str, AfterValidator(lambda url: _scheme(url, ("http", "https")))]
WsUrl = Annotated[str, AfterValidator(lambda url: _scheme(url, ("ws", "wss")))]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Near(_Table):
    """One word of ``a`` and one of ``b`` at most ``within`` words apart; ``*`` ends a stem (``train*``)."""

    a: tuple[Phrase, ...] = Field(min_length=1)
    b: tuple[Phrase, ...] = Field(min_length=1)
    within: int = Field(default=12, ge=1, le=500)


class Rule(_Table):
    """A post matches when any positive condition holds and no exclusion does."""

    id: Slug
    phrases: tuple[Phrase, ...] = ()
    near: tuple[Near, ...] = ()
    hashtags: tuple[Phrase, ...] = ()
    links: tuple[Phrase, ...] = ()
    regex: tuple[Phrase, ...] = ()
    exclude: tuple[Phrase, ...] = ()

    @field_validator("id")
    @classmethod
    def _reserved(cls, value: str) -> str:
        if value in (THREAD_RULE, IMPORT_RULE):
            raise ValueError(f"'{value}' is kept for what this program finds by itself; choose another id")
        return value

    @field_validator("regex")
    @classmethod
    def _compiles(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                regex.compile(pattern, regex.VERSION0 | regex.IGNORECASE)  # as the matcher does
            except regex.error as error:
                raise ValueError(f"'{pattern}' is no regular expression: {error}") from error
        return patterns

    @model_validator(mode="after")
    def _says_something(self) -> Rule:
        if not (self.phrases or self.near or self.hashtags or self.links or self.regex):
            raise ValueError("a rule needs phrases, near, hashtags, links or regex")
        return self


class Topic(_Table):
    """What to watch for: a platform whose terms are discussed, and the rules that find such posts."""

    name: Slug
    platform: str = Field(min_length=1, description="the platform whose terms are watched")
    aliases: tuple[Phrase, ...] = ()
    languages: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Topic:
        _unique([rule.id for rule in self.rules], f"rule ids of topic '{self.name}'")
        return self


class Event(_Table):
    """A change of terms or a response to it. Announced, effective and discovered are different times."""

    id: Slug
    kind: EventKind
    title: str = Field(min_length=1)
    topic: Slug | None = None
    announced: UtcDatetime | None = None
    effective: UtcDatetime | None = None
    discovered: UtcDatetime | None = None
    url: str | None = None

    @model_validator(mode="after")
    def _has_a_time(self) -> Event:
        if not (self.announced or self.effective or self.discovered):
            raise ValueError("an event needs at least one of announced, effective, discovered")
        return self

    @property
    def at(self) -> datetime:
        """When people could first react: the first of discovered, announced, effective that is given."""
        at = self.discovered or self.announced or self.effective
        assert at is not None  # _has_a_time
        return at


class Bluesky(_Table):
    enabled: bool = True
    jetstream_url: WsUrl = "wss://jetstream.us-east.bsky.network"
    service_url: HttpUrl = "https://bsky.social"
    search_pause_seconds: float = Field(default=1.0, ge=0, description="between searchPosts pages")
    thread_days: int = Field(default=30, ge=0, description="how long replies to a stored post are collected")
    silence_seconds: float = Field(default=60.0, gt=0, description="no event for so long: reconnect")


class XPrices(_Table):
    """Dollars per read, as X's price list said in November 2026."""

    post: float = Field(default=0.005, ge=0)
    user: float = Field(default=0.010, ge=0)
    counts_recent: float = Field(default=0.005, ge=0, description="per request")
    counts_all: float = Field(default=0.010, ge=0, description="per request")


class X(_Table):
    enabled: bool = False
    api_url: HttpUrl = "https://api.x.com"
    budget_per_day: float = Field(default=5.0, ge=0, description="dollars per UTC day; collecting stops there")
    budget_per_month: float = Field(default=100.0, ge=0, description="dollars per calendar month; likewise")
    prices: XPrices = XPrices()
    context: bool = Field(default=True, description="read the posts that are replied to and quoted, a post read each")
    authors: bool = Field(default=False, description="read the authors' handles, a user read each")
    silence_seconds: float = Field(default=60.0, gt=0, description="no heartbeat for so long: reconnect")
    comply_hours: float = Field(default=12.0, ge=0, description="between two passes: X wants to be obeyed within 24")
    count_hours: float = Field(default=24.0, ge=0, description="between two counts of all posts, cents each; 0: none")
    edits: bool = Field(default=True, description="look posts up once more when they can be edited no longer")
    may_train: bool = False


class StoreSettings(_Table):
    path: Path = Path("monitor.duckdb")
    memory_limit: str = Field(default="512MB", pattern=r"^\d+(\.\d+)?\s?(MB|GB|MiB|GiB)$")
    threads: int = Field(default=2, ge=1)


class Classifier(_Table):
    model: str = Field(default="", description="empty: the shipped model; else a folder or a hub name")
    batch_size: int = Field(default=0, ge=0, description="texts in one batch; 0: what suits the engine")
    engine: Literal["auto", "openvino", "torch"] = Field(default="auto", description="torch where it finds a GPU")
    precision: Literal["auto", "f32", "bf16", "int8"] = Field(default="auto", description="of OpenVINO; int8 with VNNI")
    review_cost: float = Field(default=0.25, gt=0, le=1, description="of a look, as a share of a wrong label's cost")


class Dashboard(_Table):
    refresh_seconds: float = Field(default=3.0, ge=1)
    timezone: str = "UTC"


class Config(_Table):
    topics: tuple[Topic, ...] = Field(min_length=1)
    events: tuple[Event, ...] = ()
    bluesky: Bluesky = Bluesky()
    x: X = X()
    store: StoreSettings = StoreSettings()
    classifier: Classifier = Classifier()
    dashboard: Dashboard = Dashboard()
    alerts: Alerts = Alerts()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Config:
        names = [topic.name for topic in self.topics]
        _unique(names, "topic names")
        _unique([event.id for event in self.events], "event ids")
        for event in self.events:
            if event.topic is not None and event.topic not in names:
                raise ValueError(f"event '{event.id}' names topic '{event.topic}', which is not defined")
        return self


class Secrets(_Table):
    """Credentials, from the environment only. ``SecretStr`` keeps them out of logs and tracebacks."""

    bluesky_handle: str | None = None
    bluesky_app_password: SecretStr | None = None
    x_bearer_token: SecretStr | None = None
    monitor_hash_key: SecretStr | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Secrets:
        names = {name: environment.get(name.upper()) or None for name in cls.model_fields}
        return cls.model_validate(names)


def load(path: Path = DEFAULT_PATH) -> Config:
    """Read and check monitor.toml. A relative store path, or model folder, is taken from the file's own folder.

    Raises:
        ConfigError: no such file, no TOML, an unknown key or an impossible value.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"There is no {path}", "Write one with: monitor init") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    config = parse(text, str(path))
    store = config.store.model_copy(update={"path": path.parent / config.store.path})
    own = path.parent / config.classifier.model
    known = {"model": str(own)} if config.classifier.model and own.is_dir() else {}
    return config.model_copy(update={"store": store, "classifier": config.classifier.model_copy(update=known)})


def parse(text: str, name: str = "monitor.toml") -> Config:
    """Check the text of a configuration; ``name`` is what messages call it."""
    try:
        return Config.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is no valid TOML: {error}") from error
    except ValidationError as error:
        raise _config_error(error, name) from None


def _config_error(error: ValidationError, name: str) -> ConfigError:
    problems = error.errors()
    unknown = [problem for problem in problems if problem["type"] == "extra_forbidden"]
    lines = [_problem(problem) for problem in unknown or problems]  # a misspelt key explains what is missing above it
    return ConfigError(f"{name}: " + "; ".join(lines), "monitor init writes an example with every key explained.")


def _problem(problem: Any) -> str:
    path = [part for part in problem["loc"] if part not in ("[key]",)]
    where = ".".join(f"{part + 1}" if isinstance(part, int) else part for part in path)
    if problem["type"] != "extra_forbidden":
        return f"{where or 'file'}: {problem['msg'].removeprefix('Value error, ')}"
    known = _known_keys(path[:-1])
    nearest = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.0)
    return f"unknown key '{where}'" + (f", did you mean '{nearest[0]}'?" if nearest else "")


def _known_keys(path: list[Any]) -> list[str]:
    model: type[BaseModel] = Config
    for part in path:
        if isinstance(part, str):
            model = _model_of(model.model_fields[part].annotation)
    return list(model.model_fields)


def _model_of(annotation: Any) -> type[BaseModel]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(_model_of(part) for part in annotation.__args__ if part is not Ellipsis)


def _unique(names: list[str], what: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{what} must be unique: {', '.join(twice)}")


def _scheme(url: str, allowed: tuple[str, ...]) -> str:
    if url.split("://")[0] not in allowed:
        raise ValueError(f"must start with {' or '.join(s + '://' for s in allowed)}")
    parts = urlsplit(url)  # raises ValueError of its own for what is no address
    if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", parts.hostname or "") or parts.port == 0:
        raise ValueError("names no host that can be called")
    return url.rstrip("/")
