"""One normal form of a text, used before matching and before scoring."""

from __future__ import annotations

import re
import unicodedata

# Zero-width and bidirectional control characters: they split words for us but not for a reader.
# ZERO WIDTH JOINER stays inside emoji, where it carries meaning.
_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_JOINER_IN_WORD = re.compile(r"(?<=\w)\u200d(?=\w)")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Letters that look Latin (Unicode TR39, confusables.txt 16.0), mapped only inside words that hold Latin letters too: a
# word that is all Cyrillic or Greek is one.
_LOOKALIKE = str.maketrans(
    "аеорсухіјѕԁԛԝһӏАВЕЗКМНОРСТУХІЈЅҮԌԚԜοανικρυχωΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdqwhlABE3KMHOPCTYXIJSYGQWoavikpuxwABEZHIKMNOPTYX",
)
_OTHER_SCRIPT = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_LATIN, _WORD = re.compile("[A-Za-z]"), re.compile(r"[^\W_]+")
_POST_URL = re.compile(r"at://(did:[a-z]+:[A-Za-z0-9._:%-]+)/app\.bsky\.feed\.post/([A-Za-z0-9._~:-]+)")
_SPACE = re.compile(r"[^\S\n ][^\S\n]*| [^\S\n]+")  # not the single spaces: replacing each costs 10 µs a post


def normalise(text: str) -> str:
    """NFKC, no invisible characters, look-alike letters, lone surrogates or NULs, single spaces.

    Case and line breaks stay.
    """
    if text.isascii() and "\x00" not in text:
        return _SPACE.sub(" ", text).strip()
    text = _SURROGATE.sub("\ufffd", text).replace("\x00", "")
    text = unicodedata.normalize("NFKC", text)
    text = _INVISIBLE.sub("", text)
    if "\u200d" in text:
        text = _JOINER_IN_WORD.sub("", text)
    if _OTHER_SCRIPT.search(text):
        text = unicodedata.normalize("NFKC", _WORD.sub(_unmasked, text))
    return _SPACE.sub(" ", text).strip()


def _unmasked(word: re.Match[str]) -> str:
    others = _OTHER_SCRIPT.findall(word[0])
    is_masked = _LATIN.search(word[0]) and all(ord(letter) in _LOOKALIKE for letter in others)
    return word[0].translate(_LOOKALIKE) if is_masked else word[0]


def storable(text: str) -> str:
    """The author's text as it is, without what UTF-8 or a database cannot hold (lone surrogates, NUL)."""
    if text.isascii():
        return text.replace("\x00", "")
    return _SURROGATE.sub("\ufffd", text).replace("\x00", "")


def post_url(platform: str, post_id: str) -> str | None:
    """Where the platform shows this post; None for an id that does not look like one of the platform's."""
    if platform == "bluesky" and (match := _POST_URL.fullmatch(post_id)):
        return f"https://bsky.app/profile/{match[1]}/post/{match[2]}"
    if platform == "x" and post_id.isdigit():
        return f"https://x.com/i/status/{post_id}"
    return None
