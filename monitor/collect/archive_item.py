"""What one line of an archive holds, whatever the archive's format."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.collect.base import Malformed
from monitor.records import AccountStatus, Deletion, Post


@dataclass(frozen=True, slots=True)
class Item:
    """One record, or why there is none.

    Attributes:
        is_chosen: somebody asked for this very post: no event of a whole network, and none that only came along
            because another one refers to it.
        is_new: a new post of a whole network, for the denominator.
    """

    record: Post | Deletion | AccountStatus | Malformed
    is_chosen: bool = False
    is_new: bool = False
