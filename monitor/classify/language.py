"""Whether the model was taught to read a text: it knows ten languages, and its figures hold for those."""

from __future__ import annotations

import regex

KNOWN = ("en", "de", "ja", "pt", "es", "fr", "it", "nl", "pl", "ko")
_LETTER = regex.compile(r"\p{L}")
_FAMILIAR = regex.compile(r"[\p{Latin}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")


def is_known(text: str, lang: str | None = None) -> bool:
    """By the language the platform or file says (BCP 47), and by the scripts of its letters; emoji alone are known."""
    said = regex.split("[-_]", lang or "und")[0].lower()
    if said not in (*KNOWN, "und", "zxx") and not said.startswith(
        "q"
    ):  # X says qme, qht ... where there is no language
        return False
    letters = _LETTER.findall(text)
    return 2 * sum(bool(_FAMILIAR.match(letter)) for letter in letters) >= len(letters)
