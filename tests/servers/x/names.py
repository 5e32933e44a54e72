"""Old and new names of the wire, and the choice of fields that a request makes.

Inside the server everything has its old name. X answers in the names in which it was asked ("as_asked": post.fields or
tweet.fields, seen in September 2026); "old" and "new" answer in theirs whatever was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Names = Literal["old", "new", "as_asked"]

_NEW = {
    "referenced_tweets": "referenced_posts",
    "edit_history_tweet_ids": "edit_history_post_ids",
    "retweet_count": "repost_count",
    "note_tweet": "note_post",
    "tweets": "posts",
    "total_tweet_count": "total_post_count",  # of counts: a guess from the others
}
_OLD_FIELDS = {new: old for old, new in _NEW.items()}
_OLD_EXPANSIONS = {f"referenced_posts{tail}": "referenced_tweets.id" for tail in ("", ".id")}
_OLD_EXPANSIONS |= {f"{name}.author_id": f"{old}.author_id" for name, old in _OLD_EXPANSIONS.items()}
_ALWAYS = ("id", "text", "edit_history_tweet_ids")
_USER_ALWAYS = ("id", "name", "username")
_SUBFIELDS = ("media.fields", "place.fields", "poll.fields")
FIELDS = frozenset({"tweet.fields", "post.fields", "user.fields", "expansions", *_SUBFIELDS})


@dataclass(frozen=True, slots=True)
class Choice:
    """What a request wants to see of posts, and in which names."""

    fields: frozenset[str]
    user_fields: frozenset[str]
    expansions: frozenset[str]
    is_new: bool

    def post(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The payload with the wanted fields; an expanded id is always there."""
        wanted = {*_ALWAYS, *self.fields, *(name.split(".")[0] for name in self.expansions)}
        return {name: value for name, value in payload.items() if name in wanted}

    def user(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in payload.items() if name in {*_USER_ALWAYS, *self.user_fields}}

    def spoken(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer in the names of this request."""
        return dict(_renamed(body)) if self.is_new else body


def choice(params: Mapping[str, str], names: Names) -> Choice:
    """Read fields and expansions; both kinds of names are understood whatever is answered."""
    asks_new = "post.fields" in params or "_posts" in params.get("expansions", "")
    return Choice(
        fields=_listed(params, _OLD_FIELDS, "tweet.fields", "post.fields"),
        user_fields=_listed(params, _OLD_FIELDS, "user.fields"),
        expansions=_listed(params, _OLD_EXPANSIONS, "expansions"),
        is_new=asks_new if names == "as_asked" else names == "new",
    )


def _listed(params: Mapping[str, str], old: Mapping[str, str], *names: str) -> frozenset[str]:
    """The values of these parameters in old names."""
    values = [value for name in names for value in params.get(name, "").split(",") if value]
    return frozenset(old.get(value, value) for value in values)


def _renamed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_new_name(key, value): _renamed_value(key, part) for key, part in value.items()}
    return [_renamed(part) for part in value] if isinstance(value, list) else value


def _new_name(key: str, holder: Mapping[str, Any]) -> str:
    if key == "tweet_count":  # X still says so of users
        return "post_count" if "start" in holder else key
    return _NEW.get(key, key)


def _renamed_value(key: str, value: Any) -> Any:
    if key == "type" and value == "retweeted":
        return "reposted"
    if key == "parameter" and isinstance(value, str):
        return value.replace("referenced_tweets", "referenced_posts")
    return _renamed(value)
