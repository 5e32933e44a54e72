"""Prepared text and context -> token windows the encoder can hold, nothing cut off silently."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.classify.base import Base
from monitor.classify.built import Built

TEXT_TOKENS, CONTEXT_TOKENS, OVERLAP = 320, 180, 48
MOST = 32  # windows of one post; enough for every text that a person writes, a bound for what machines do
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """``<s> text </s>`` and, where there is one, ``context </s>``; the first ``text_length`` ids are the text's."""

    ids: tuple[int, ...]
    text_length: int


class Tokens:
    """Cuts texts into windows for one base."""

    def __init__(self, base: Base | Built) -> None:
        self.tokenizer = base.tokenizer
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.bos, self.eos = base.bos, base.eos
        self._known = {piece.replace("▁", "") for piece in self.tokenizer.get_vocab()}
        room = base.positions - 3
        self.context_tokens = min(CONTEXT_TOKENS, room // 3)
        self.text_tokens = min(TEXT_TOKENS, room - self.context_tokens)

    def windows(self, pairs: Sequence[tuple[str, str]]) -> list[list[Window]]:
        """For each (text, context), in order, at least one window.

        A text longer than a window is read in overlapping windows, each beside the start of the context; a
        long context is read on in further windows beside the start of the text.
        """
        flat = [self._spelled(part) for pair in pairs for part in pair]
        found = [encoding.ids for encoding in self.tokenizer.encode_batch(flat, add_special_tokens=False)]
        return [self._pair(found[i], found[i + 1]) for i in range(0, len(found), 2)]

    def _pair(self, text: list[int], context: list[int]) -> list[Window]:
        texts, contexts = _slices(text, self.text_tokens), _slices(context, self.context_tokens)
        chosen = [(part, contexts[0]) for part in texts] + [(texts[0], part) for part in contexts[1:]]
        if len(chosen) > MOST:
            _log.warning("A text of %d tokens is scored by %d windows spread over it", len(text), MOST)
            chosen = [chosen[i * (len(chosen) - 1) // (MOST - 1)] for i in range(MOST)]
        return [self._window(part, beside) for part, beside in chosen]

    def _window(self, text: list[int], context: list[int]) -> Window:
        first = (self.bos, *text, self.eos)
        return Window((*first, *context, self.eos) if context else first, len(first))

    def _spelled(self, text: str) -> str:
        """Symbols the vocabulary lacks (newer emoji) by their Unicode name."""
        if text.isascii():
            return text
        return "".join(map(self._symbol, text))

    def _symbol(self, character: str) -> str:
        if character.isascii() or unicodedata.category(character) != "So" or character in self._known:
            return character
        return f" {unicodedata.name(character, '').lower()} "


def _slices(ids: list[int], length: int) -> list[list[int]]:
    if len(ids) <= length:
        return [ids]
    overlap = min(OVERLAP, length // 4)
    starts = range(0, len(ids) - overlap, length - overlap)
    return [ids[start : start + length] for start in starts]
