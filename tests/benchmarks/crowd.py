"""A crowd that posts, answers, edits, leaves and talks nonsense: seeded events, and what a store must hold of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.servers.events import account, create, delete, quote_of, reply_to, repost, update, uri

Event = dict[str, Any]

_AUTHORS = 300
_PHRASES = (
    "SoundCloud can train AI on my songs now? I never agreed to that",
    "took every track down from SoundCloud today, their AI terms were the last straw",
    "reading the new SoundCloud terms and the AI clause is vague on purpose",
    "SoundCloud hat die Nutzungsbedingungen geändert, die KI lernt jetzt mit meiner Musik 😤",
    "honestly the SoundCloud AI panic is overblown, they said they do not train on uploads",
)
_CHATTER = ("rain again, so tea again", "new mix is up!", "who else watched the match", "猫がかわいい", "good night")


@dataclass
class Stored:
    """One post as the store must hold it; ``author`` is a number, ``parent`` a post id."""

    author: str
    rkey: str
    text: str
    kind: str = "original"
    parent: str | None = None


@dataclass
class Expected:
    """What a store must hold that took every event exactly once."""

    posts: dict[str, Stored] = field(default_factory=dict)
    hidden_authors: set[str] = field(default_factory=set)
    seen: int = 0
    rejected: int = 0

    def rows(self) -> dict[str, tuple[str, str | None, bool]]:
        """Post id -> text, context, hidden."""
        return {
            post_id: (post.text, self._context(post), post.author in self.hidden_authors)
            for post_id, post in self.posts.items()
        }

    def _context(self, post: Stored) -> str | None:
        parent = self.posts.get(post.parent or "")
        if parent is None or post.kind == "repost" or parent.author in self.hidden_authors:
            return None
        return parent.text


class Crowd:
    """What each event does to a store stands in ``expected`` as soon as ``events`` has yielded it.

    Args:
        seed: the same seed makes the same events.
    """

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._made = 0
        self._gone: set[str] = set()
        self.expected = Expected()

    def events(self, n: int) -> Iterator[Event]:
        """``n`` events; ``seq`` and ``time`` in them are for the server to overwrite."""
        acts: dict[Callable[[], Iterator[Event]], int] = {
            self._chat: 38, self._speak: 26, self._answer: 9, self._edit: 5, self._share: 6, self._share_unknown: 5,
            self._delete: 4, self._delete_unknown: 3, self._delete_first: 1, self._babble: 2,
            self._hide: 2, self._leave: 1,
        }  # fmt: skip
        left = n
        while left:
            for event in self._chance.choices(list(acts), list(acts.values()))[0]():
                yield event
                left -= 1
                if not left:
                    return

    def _chat(self) -> Iterator[Event]:
        author, rkey = self._author(), self._rkey()
        self.expected.seen += 1
        yield create(0, f"{self._chance.choice(_CHATTER)} {rkey}", author, rkey)

    def _speak(self) -> Iterator[Event]:
        author, rkey = self._author(), self._rkey()
        text = f"{self._chance.choice(_PHRASES)} {rkey}"
        self._keep(Stored(author, rkey, text))
        yield create(0, text, author, rkey)

    def _answer(self) -> Iterator[Event]:
        parent = self._someone_heard()
        if parent is not None:
            kind = self._chance.choice(["reply", "reply", "quote"])
            post = Stored(self._author(), self._rkey(), f"same, gone {self._made}", kind, parent)
            self._keep(post)
            yield create(0, post.text, post.author, post.rkey, **_link(post))

    def _share(self) -> Iterator[Event]:
        subject = self._someone_heard()
        if subject is not None:
            author, rkey = self._author(), self._rkey()
            self.expected.posts[_repost_uri(author, rkey)] = Stored(author, rkey, "", "repost", subject)
            yield repost(0, subject, author, rkey)

    def _share_unknown(self) -> Iterator[Event]:
        yield repost(0, uri("elsewhere", self._rkey()), self._author(), self._rkey())

    def _edit(self) -> Iterator[Event]:
        post_id = self._someone_heard()
        if post_id is not None:
            post = self.expected.posts[post_id]
            post.text = f"edited: SoundCloud answered about AI, see {self._rkey()}"
            yield update(0, post.text, post.author, post.rkey, **_link(post))

    def _delete(self) -> Iterator[Event]:
        if self.expected.posts:
            post_id = self._chance.choice(list(self.expected.posts))
            post = self.expected.posts.pop(post_id)
            yield delete(0, post.author, post.rkey, post_id.split("/")[3])

    def _delete_unknown(self) -> Iterator[Event]:
        yield delete(0, self._author(), self._rkey())

    def _delete_first(self) -> Iterator[Event]:
        author, rkey = self._author(), self._rkey()
        yield delete(0, author, rkey)
        self.expected.seen += 1
        yield create(0, f"{_PHRASES[0]} {rkey}", author, rkey)

    def _babble(self) -> Iterator[Event]:
        self.expected.rejected += 1
        nonsense: Any = 7
        yield create(0, nonsense, self._author(), self._rkey())

    def _hide(self) -> Iterator[Event]:
        hidden = sorted(self.expected.hidden_authors)
        if hidden and self._chance.random() < 0.5:
            author = self._chance.choice(hidden)
            self.expected.hidden_authors.remove(author)
            yield account(0, author)
        else:
            author = self._author()
            self.expected.hidden_authors.add(author)
            yield account(0, author, self._chance.choice(["deactivated", "suspended", "takendown"]))

    def _leave(self) -> Iterator[Event]:
        author = self._author()
        self._gone.add(author)
        self.expected.posts = {key: post for key, post in self.expected.posts.items() if post.author != author}
        yield account(0, author, "deleted")

    def _keep(self, post: Stored) -> None:
        self.expected.seen += 1
        self.expected.posts[uri(post.author, post.rkey)] = post

    def _author(self) -> str:
        """Somebody who can post: neither gone nor hidden. New ones come as others leave."""
        while True:
            author = f"a{len(self._gone) + self._chance.randrange(_AUTHORS)}"
            if author not in self._gone and author not in self.expected.hidden_authors:
                return author

    def _rkey(self) -> str:
        self._made += 1
        return f"p{self._made:07}"

    def _someone_heard(self) -> str | None:
        """A stored post that is neither hidden nor a repost, mostly a young one."""
        young = list(self.expected.posts)[-200:]
        for post_id in self._chance.sample(young, min(len(young), 20)):
            post = self.expected.posts[post_id]
            if post.kind != "repost" and post.author not in self.expected.hidden_authors:
                return post_id
        return None


def _link(post: Stored) -> dict[str, Any]:
    if post.parent is None:
        return {}
    return {"embed": quote_of(post.parent)} if post.kind == "quote" else {"reply": reply_to(post.parent)}


def _repost_uri(author: str, rkey: str) -> str:
    return uri(author, rkey, "app.bsky.feed.repost")
