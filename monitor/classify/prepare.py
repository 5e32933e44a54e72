"""A post as the model reads it: normalised, and without the names that would tie the weights to one platform."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import lru_cache

from monitor.config import Topic
from monitor.text import normalise

LINK, HANDLE, PLATFORM = "http", "@user", "Platform"  # words the frozen vocabulary knows
LONGEST = 25_000  # characters; no watched platform lets a person write more

_LINK = re.compile(
    r"(?:https?://|www\.)\S+|(?<![\w-])[\w-]{1,63}\.(?:com|net|org|io|app|co|me|social|fm|gg|ly|de|jp)/\S*", re.I
)
_HANDLE = re.compile(r"(?<![\w@])@[\w][\w.-]*\w|(?<![\w@])@\w")
_HASHTAG = re.compile(r"#(\w+)")
_HUMP = re.compile(r"(?<=[a-zà-ÿ0-9])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])|_+")
_LETTER = r"A-Za-z0-9À-ɏ"
_THRICE = r"\1\1\1"
_ENDING = 3  # letters a language may hang on a name: SoundClouda, SoundClouds
# "!!!!!!" is "!!!", "soooooo" is "sooo", three links in a row are one: posts that differ in nothing else read the same.
_RUN = re.compile(r"(\D)\1{3,}")
_AGAIN = re.compile(rf"(\s(?:{LINK}|{HANDLE}|{PLATFORM}))(?:\1)+(?!\w)")
_log = logging.getLogger(__name__)


def prepare(text: str, aliases: Iterable[str] = ()) -> str:
    """The normal form of ``text``; names of the watched platform become one placeholder word.

    Text past LONGEST characters is left out from the middle, and the log says so.
    """
    if len(text) > LONGEST:
        _log.warning("A text of %d characters is scored by its first and last %d", len(text), LONGEST // 2)
        text = f"{text[: LONGEST // 2]}\n{text[-LONGEST // 2 :]}"
    text = _LINK.sub(LINK, normalise(text))
    names = _pattern(tuple(sorted(set(aliases))))
    if names is not None:
        text = names.sub(PLATFORM, text)
    text = _HASHTAG.sub(lambda tag: _words(tag[1]), _HANDLE.sub(HANDLE, text))
    text = text if names is None else names.sub(PLATFORM, text)
    return _AGAIN.sub(r"\1", f" {_RUN.sub(_THRICE, text)}")[1:]


def _words(tag: str) -> str:
    return _HUMP.sub(" ", tag)


@lru_cache(maxsize=512)
def _pattern(aliases: tuple[str, ...]) -> re.Pattern[str] | None:
    """Aliases with or without @, #, inner spaces; short ones (X, SC) only as written."""
    parts = [_one(normalise(alias)) for alias in sorted(aliases, key=len, reverse=True) if normalise(alias)]
    return re.compile("|".join(parts)) if parts else None


def _one(alias: str) -> str:
    plain = alias.lstrip("@#")
    pieces = [re.escape(piece) for piece in re.split(r"[\s_-]+", _HUMP.sub(" ", plain)) if piece]
    name = r"[\s_-]?".join(pieces)
    if not re.search(f"[{_LETTER}]", plain):  # scripts without spaces have no word edge
        return f"[@#]?{name}"
    if len(plain) < 4:
        return f"(?<![{_LETTER}])[@#]?{name}(?![{_LETTER}])"
    ending = f"(?=[{_LETTER}]{{0,{_ENDING}}}(?![{_LETTER}]))" if len(plain) >= 6 else f"(?![{_LETTER}])"
    return f"(?<![{_LETTER}])[@#]?(?i:{name}){ending}"


def names_of(topics: Iterable[Topic], matched: Iterable[str]) -> tuple[str, ...]:
    """What the platforms are called whose topics a post matched; ``matched`` are "topic/rule" ids."""
    known = {topic.name: (topic.platform, *topic.aliases) for topic in topics}
    found = dict.fromkeys(rule.split("/")[0] for rule in matched)
    return tuple(dict.fromkeys(name for topic in found for name in known.get(topic, ())))
