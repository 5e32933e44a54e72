"""Reads the labelled posts this model is trained and judged on, and refuses what breaks the codebook."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from monitor.codebook import Labels, codebook
from monitor.errors import CorpusError
from monitor.text import normalise

CORPUS = Path(__file__).parent / "corpus"
Split = Literal["train", "calibration", "heldout"]
SHINGLE, ALIKE = 8, 0.5  # characters; share of shingles from which two posts count as the same
BANDS, ROWS = 42, 3  # of MinHash: 99.6 % of the pairs that share half of their shingles are compared
_HINT = "Correct the corpus; its rules stand in monitor/classify/corpus/README.md."


@dataclass(frozen=True, slots=True)
class CorpusPost:
    """A post written for this project, with its final labels.

    ``platform`` is the one it is about, or empty; ``aliases`` are further names of it. Posts of one ``group`` are
    near-identical and differ in a label.
    """

    id: str
    text: str
    context: str | None
    lang: str
    platform: str
    persona: str
    split: Split
    labels: Labels
    writer: str
    group: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What the platform is called."""
        return (self.platform, *self.aliases) if self.platform else ()


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one annotator, blind to the others, gave one post."""

    post_id: str
    annotator: str
    labels: Labels
    note: str = ""


@dataclass(frozen=True, slots=True)
class Corpus:
    """All posts, all annotations, and the sha256 over their files."""

    posts: tuple[CorpusPost, ...]
    annotations: tuple[Annotation, ...]
    digest: str

    def split(self, name: Split) -> tuple[CorpusPost, ...]:
        return tuple(post for post in self.posts if post.split == name)


def read_corpus(folder: Path = CORPUS) -> Corpus:
    """Read ``posts/*.jsonl`` and ``annotations.jsonl``, and check them.

    Raises:
        CorpusError: no posts, a label outside the codebook, a broken floor, an id twice, an annotation of an
            unknown post, a group over two splits or without a difference, or a post of one split that is
            near-identical to one of another.
    """
    files, notes = _files(folder), folder / "annotations.jsonl"
    posts = read_posts(folder)
    annotations = tuple(_annotation(row, where) for row, where in _rows(notes)) if notes.is_file() else ()
    _check_ids(posts, annotations)
    _check_groups(posts)
    _check_splits(posts)
    return Corpus(posts, annotations, _digest([*files, *([notes] if notes.is_file() else [])]))


def read_posts(folder: Path = CORPUS) -> tuple[CorpusPost, ...]:
    """The posts alone, each checked by itself: 0.3 s where ``read_corpus`` takes ten.

    Raises:
        CorpusError: no posts, a label outside the codebook, or a broken floor.
    """
    posts = tuple(_post(row, where, path.stem) for path in _files(folder) for row, where in _rows(path))
    if not posts:
        raise CorpusError(f"There are no posts in {folder / 'posts'}", _HINT)
    return posts


def _files(folder: Path) -> list[Path]:
    return sorted((folder / "posts").glob("*.jsonl"))


def _digest(files: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in files:
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _rows(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        where = f"{path.name}:{number}"
        try:
            yield orjson.loads(line), where
        except orjson.JSONDecodeError as error:
            raise CorpusError(f"{where} is no JSON: {error}", _HINT) from None


def _post(row: dict[str, Any], where: str, writer: str) -> CorpusPost:
    try:
        labels = _labels(row, where)
        if row["split"] not in get_args(Split) or not row["text"].strip():
            raise CorpusError(f"{where}: no text, or unknown split '{row['split']}'", _HINT)
        names = ("id", "text", "context", "lang", "platform", "persona", "split")
        known = {name: row[name] for name in names}
        return CorpusPost(**known, labels=labels, writer=writer, group=row.get("group", ""))
    except KeyError as missing:
        raise CorpusError(f"{where}: {missing} is missing", _HINT) from None


def _annotation(row: dict[str, Any], where: str) -> Annotation:
    try:
        return Annotation(row["id"], row["annotator"], _labels(row, where, floors=False), row.get("note") or "")
    except KeyError as missing:
        raise CorpusError(f"{where}: {missing} is missing", _HINT) from None


def _labels(row: dict[str, Any], where: str, floors: bool = True) -> Labels:
    """Annotators may break a floor (that is a disagreement to settle); final labels may not."""
    book = codebook()
    found = Labels(row["relevant"], row["concern"], row["removal"], row["stance"])
    known = found.relevant in (0, 1) and found.concern in book.concern
    if not (known and found.removal in book.removal and found.stance in book.stance):
        raise CorpusError(f"{where}: {found} is outside codebook {book.version}", _HINT)
    if floors and not found.relevant and (found.concern, found.removal, found.stance) != (0, "none", "neutral"):
        raise CorpusError(f"{where}: an irrelevant post is concern 0, removal none, stance neutral", _HINT)
    least = book.least_concern.get(found.removal, 0)
    if floors and found.concern < least:
        raise CorpusError(f"{where}: removal {found.removal} means concern {least} or more", _HINT)
    return found


def _check_ids(posts: Sequence[CorpusPost], annotations: Sequence[Annotation]) -> None:
    counts = Counter(post.id for post in posts)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise CorpusError(f"Ids stand twice: {', '.join(twice[:5])}", _HINT)
    unknown = [note.post_id for note in annotations if note.post_id not in counts]
    if unknown:
        raise CorpusError(f"Annotations of unknown posts: {', '.join(unknown[:5])}", _HINT)


def groups(posts: Iterable[CorpusPost]) -> dict[str, list[CorpusPost]]:
    """The contrast groups among ``posts``."""
    found: dict[str, list[CorpusPost]] = defaultdict(list)
    for post in posts:
        if post.group:
            found[post.group].append(post)
    return dict(found)


def _check_groups(posts: Sequence[CorpusPost]) -> None:
    for name, members in groups(posts).items():
        if len({post.split for post in members}) > 1:
            raise CorpusError(f"Group {name} stands in two splits", _HINT)
        if len({post.labels for post in members}) < 2:
            raise CorpusError(f"Group {name} has no two posts whose labels differ", _HINT)


def _check_splits(posts: Sequence[CorpusPost]) -> None:
    """A post that is nearly one of another split would be judged by memory.

    MinHash (Broder 1997) finds who may be alike, the shingles themselves decide.
    """
    from datasketch import MinHash, MinHashLSH

    shingles = [_shingles(post) for post in posts]
    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    for i, sketch in enumerate(MinHash.bulk([_bytes(found) for found in shingles], num_perm=BANDS * ROWS)):
        for j in index.query(sketch):
            if posts[i].split != posts[j].split and _jaccard(shingles[i], shingles[j]) >= ALIKE:
                raise CorpusError(f"{posts[j].id} and {posts[i].id} are near-identical across splits", _HINT)
        index.insert(i, sketch)


def _bytes(shingles: set[str]) -> list[bytes]:
    return [shingle.encode() for shingle in shingles]


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other)


def _shingles(post: CorpusPost) -> set[str]:
    text = normalise(f"{post.text} | {post.context or ''}").casefold()
    return {text[i : i + SHINGLE] for i in range(max(1, len(text) - SHINGLE + 1))}
