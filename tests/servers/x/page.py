"""An answer of posts: data, includes and the partial errors beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tests.servers.x.archive import Archive
from tests.servers.x.names import Choice
from tests.servers.x.posts import XPost
from tests.servers.x.problem import missing

_EXPANDS = ("referenced_tweets.id", "referenced_tweets.id.author_id")


def page(
    posts: Sequence[XPost], choice: Choice, archive: Archive, errors: Iterable[dict[str, Any]] = ()
) -> dict[str, Any]:
    """The body in old names, without meta."""
    included, lost = _referenced(posts, choice, archive)
    users = _authors(posts, included, choice)
    data = [choice.post(post.payload()) for post in posts]
    includes = {"tweets": [choice.post(post.payload()) for post in included], "users": users}
    body: dict[str, Any] = {"data": data} if data else {}
    if any(includes.values()):
        body["includes"] = {name: found for name, found in includes.items() if found}
    told = [*errors, *lost]
    return body | ({"errors": told} if told else {})


def _referenced(posts: Iterable[XPost], choice: Choice, archive: Archive) -> tuple[list[XPost], list[dict[str, str]]]:
    if not choice.expansions.intersection(_EXPANDS):
        return [], []
    ids = dict.fromkeys(post_id for post in posts for _, post_id in post.refers)
    found = {post_id: archive.look_up(post_id) for post_id in ids}
    lost = [
        missing(post_id, "referenced_tweets.id", is_hidden=archive.is_hidden(post_id))
        for post_id, post in found.items()
        if post is None
    ]
    return [post for post in found.values() if post is not None], lost


def _authors(posts: Iterable[XPost], included: Iterable[XPost], choice: Choice) -> list[dict[str, Any]]:
    wanted = [post.author for post in posts if "author_id" in choice.expansions]
    wanted += [post.author for post in included if "referenced_tweets.id.author_id" in choice.expansions]
    return [choice.user(user.payload()) for user in dict.fromkeys(wanted)]
