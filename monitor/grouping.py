"""The join of store and sketches: what is stored and has no text group gets one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from monitor.analyse.sketch import ALIKE, Sketch, likeness, sketched
from monitor.records import Grouped
from monitor.store import Store
from monitor.store.texts import Ungrouped, groups_of, sketches, ungrouped

BATCH = 5000  # posts to one search through the sketches, which takes 0.8 s of processor time where a million groups are


def group_pending(store: Store, limit: int = BATCH) -> int:
    """Give up to ``limit`` posts, oldest first, the group of their text; returns how many were taken up.

    The first text of a group gives it its number and alone decides who joins: a text that is near another member but
    not near the first makes a group of its own, so groups do not drift. A number never changes when posts arrive.
    Cut off, it goes on where it was. Meant for one process at a time, as scoring is.
    """
    waiting = ungrouped(store, limit)
    if not waiting:
        return 0
    found = sketched([post.text for post in waiting])
    known = groups_of(store, [one.form for one in found if one.form is not None])
    groups = _Groups(known)
    new = {band for one in found if one.form not in known for band in one.bands}
    for group, bands in sketches(store, sorted(new)) if new else ():
        groups.add(group, bands)
    store.commit_groups([groups.place(post, one) for post, one in zip(waiting, found, strict=True)])
    return len(waiting)


class _Groups:
    """Those that texts of one batch may join: by the same words first, then by likeness to the first text."""

    def __init__(self, known: dict[int, int]) -> None:
        self._by_form = dict(known)
        self._sketches: dict[int, Sequence[int]] = {}
        self._by_band = defaultdict[tuple[int, int], list[int]](list)

    def add(self, group: int, bands: Sequence[int]) -> None:
        self._sketches[group] = bands
        for place in enumerate(bands):
            self._by_band[place].append(group)

    def place(self, post: Ungrouped, text: Sketch) -> Grouped:
        if text.form is None:
            return Grouped(post.key, post.revision, None, post.key)
        group = self._by_form.get(text.form) or self._nearest(text.bands)
        is_first = group is None
        if group is None:
            group = text.form
            self.add(group, text.bands)
        self._by_form[text.form] = group
        return Grouped(post.key, post.revision, text.form, group, text.bands if is_first else ())

    def _nearest(self, bands: Sequence[int]) -> int | None:
        candidates = list(dict.fromkeys(group for place in enumerate(bands) for group in self._by_band.get(place, ())))
        if not candidates:
            return None
        shares = likeness(bands, [self._sketches[group] for group in candidates])
        nearest = max(range(len(candidates)), key=shares.__getitem__)
        return candidates[nearest] if shares[nearest] >= ALIKE else None
