"""Quiet weeks of several topics in a real store, through ``learn`` and ``judge``: how often alerts fire for nothing.

Each topic has posts with a daily rhythm, replies to some of them, shares that differ from hour to hour, and sayings
that spread among authors and are gone again. As in ``monitor run``, what is usual is learned anew every day.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from monitor.alert_settings import Alerts
from monitor.alerts.hours import at, number
from monitor.alerts.judging import judge_each
from monitor.alerts.watching import STATISTICS, Learned, learn
from monitor.analyse.baseline import WEEK
from monitor.analyse.detectors import Detector
from monitor.analyse.episodes import Policy, step
from monitor.config import Config, Rule, StoreSettings, Topic
from monitor.records import Batch, Cursor, Seen
from monitor.records.alerts import Alert, Finding
from monitor.store import Store

LEARNED = 8 * WEEK + 24  # hours; the last day before now is not learned from
BEGUN = number(datetime(2026, 1, 5, tzinfo=UTC))
LEAST = 4
_WORDS, _SAYINGS = 4_000, 0.15  # vocabulary; new sayings an hour
_LABELS = ("none", "considering", "committed")


@dataclass(frozen=True)
class World:
    """So many topics, of which so many weeks are judged, at one stated false alarm in ``between`` weeks."""

    topics: int
    weeks: int
    between: float


WORLDS = {World(3, 5, 1 / 8): 66, World(20, 1, 1 / 20): 66}  # of so many replicates, one


@dataclass(frozen=True)
class Trial:
    """By detector, how many hours or buckets were in alarm and how many are stated; and alerts that were told."""

    fired: dict[str, int]
    stated: dict[str, float]
    alerts: int


def rows(pool: ProcessPoolExecutor, replicates: int) -> Iterator[tuple[str, str, str]]:
    """Rows of (what, measured, wanted)."""
    waiting = {
        world: [pool.submit(trial, world, seed) for seed in range(-(-replicates // each))]
        for world, each in WORLDS.items()
    }
    for world, jobs in waiting.items():
        trials = [job.result() for job in jobs]
        for what, names in (("all detectors", STATISTICS), ("new phrases alone", ("phrase",))):
            fired = sum(one.fired[name] for one in trials for name in names)
            yield _row(f"{what} of {world.topics} topics", fired, trials, names)
        told = sum(one.alerts for one in trials)
        yield _row(f"alerts told of {world.topics} topics", told, trials, STATISTICS)


def _row(what: str, n: int, trials: Sequence[Trial], names: Sequence[str]) -> tuple[str, str, str]:
    from scipy.stats import chi2

    stated = sum(one.stated[name] for one in trials for name in names)
    low, high = (chi2.ppf(0.025, 2 * n) / 2 / stated if n else 0.0, chi2.ppf(0.975, 2 * n + 2) / 2 / stated)
    text = f"{n / stated:.2f} of the stated rate ({low:.2f} to {high:.2f}; {n} where {stated:.0f} are stated)"
    return f"false alarms by learn and judge, {what}", text, "0.8 to 1.2"


def trial(world: World, seed: int) -> Trial:
    """One quiet world from its first learned day to its last."""
    rng = np.random.default_rng([seed, world.topics])
    config_alerts = Alerts(false_alarm_weeks=world.between, min_mentions=LEAST)
    topics = tuple(
        Topic(name=f"topic-{n}", platform="SoundCloud", rules=(Rule(id="terms", phrases=("terms",)),))
        for n in range(world.topics)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "monitor.duckdb"
        config = Config(topics=topics, store=StoreSettings(path=path), alerts=config_alerts)
        store = Store(path)
        end = BEGUN + LEARNED + world.weeks * WEEK
        _fill(store, topics, end + 2, rng)
        return _judged(store, config, range(BEGUN + LEARNED, end, 24))


def _judged(store: Store, config: Config, days: range) -> Trial:
    fired, stated = dict.fromkeys(STATISTICS, 0), dict.fromkeys(STATISTICS, 0.0)
    known: dict[str, Alert] = {}
    for day in days:
        learned = learn(store, config, at(day))
        due = list(product([topic.name for topic in config.topics], STATISTICS, range(day, day + 24)))
        found, _ = judge_each(store, learned, config, at(day + 24) + timedelta(minutes=59), due)
        today = [one for one in found if at(day) <= one.began_at < at(day + 24)]
        for name in STATISTICS:
            fired[name] += sum(bool(one.is_alarm) for one in today if one.detector == name)
            stated[name] += _stated(learned, name)
        _tell(known, today)
    return Trial(fired, stated, len(known))


def _stated(learned: Learned, name: str) -> float:
    """False alarms of one kind in a day."""
    own = [one for (_, of), one in learned.detectors.items() if of == name and isinstance(one, Detector)]
    return sum(1 / one.weeks_between(learned.cut) / 7 for one in own)


def _tell(known: dict[str, Alert], found: list[Finding]) -> None:
    """Hour by hour, as the alerts of a running program begin and end."""
    for began_at in sorted({one.began_at for one in found}):
        now = [one for one in found if one.began_at == began_at]
        done = step(list(known.values()), now, began_at + timedelta(hours=1), Policy())
        known |= {one.id: one for one in done.alerts}


def _fill(store: Store, topics: tuple[Topic, ...], end: int, rng: np.random.Generator) -> None:
    for number_, topic in enumerate(topics):
        table = pa.Table.from_pylist(list(_posts(topic.name, number_, end, rng)))
        with duckdb.connect(str(store.path)) as file:
            file.register("made", table)
            file.execute(_INSERT)
    begun, moved = at(BEGUN), at(end)
    seen = (Seen("bluesky:live", begun, 1),)
    store.commit(Batch("bluesky:live", seen=seen, cursor=Cursor("bluesky:live", "1", begun)), now=begun)
    store.commit(Batch("bluesky:live", cursor=Cursor("bluesky:live", "2", moved)), now=moved)


_INSERT = """
INSERT INTO posts BY NAME
SELECT key, key AS author_key, parent_key, 'bluesky' AS platform, key::VARCHAR AS post_id, key::VARCHAR AS author_id,
    text, 'original' AS kind, 'live' AS source, said_at AS created_at, said_at AS observed_at, said_at AS version_at,
    said_at AS stored_at, said_at AS scored_at, [topic || '/terms'] AS matched, 1.0 AS sample_weight, 0 AS revision,
    false AS hidden, 0.9 AS relevant, concern AS concern_label, removal AS removal_label, 'invented' AS model_id
FROM (SELECT *, make_timestamp(micros) AS said_at FROM made)
"""


def _posts(topic: str, first: int, end: int, rng: np.random.Generator) -> Iterator[dict[str, object]]:
    hours = np.arange(end - BEGUN)
    size, level = rng.uniform(2, 20), rng.uniform(2, 6)
    daily = np.exp(rng.uniform(0.2, 0.8) * np.sin(2 * np.pi * (hours - rng.uniform(0, 24)) / 24))
    counts = rng.poisson(rng.gamma(size, level * daily / size))
    shares = [rng.beta(mean * 60, (1 - mean) * 60, len(hours)) for mean in rng.uniform(0.05, 0.4, 2)]
    sayings: list[tuple[float, str]] = []  # how readily each is said, and its words
    recent: list[int] = []  # posts that are answered, once more for every answer: much begets more (Yule 1925)
    key = (first + 1) << 32
    for hour, n in zip(hours.tolist(), counts.tolist(), strict=True):
        sayings = [(much * 0.6, words) for much, words in sayings if much > 0.02]
        sayings += [(rng.beta(1, 4), _words(rng, 3)) for _ in range(rng.poisson(_SAYINGS))]
        for place in np.sort(rng.random(n)).tolist():
            key += 1
            told = [words for much, words in sayings if rng.random() < much]
            parent = recent[int(len(recent) * rng.random())] if recent and rng.random() < 0.4 else None
            yield {
                "key": key,
                "parent_key": parent,
                "topic": topic,
                "micros": int((BEGUN + hour + place) * 3_600_000_000),
                "text": " . ".join([_words(rng, 9), *told]),
                "concern": 3 if rng.random() < shares[0][hour] else 1,
                "removal": _LABELS[1] if rng.random() < shares[1][hour] else _LABELS[0],
            }
            recent = [key, *(() if parent is None else (parent,)), *recent[:38]]


def _words(rng: np.random.Generator, n: int) -> str:
    """Some words are said often, most hardly ever."""
    return " ".join(f"w{int(_WORDS * u**3)}" for u in rng.random(n))
