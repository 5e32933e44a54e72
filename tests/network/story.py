"""People on the real network who post, answer, edit, delete and leave, and what a monitor should then hold.

What exists, its text and who is visible is always read back from the network. Only whether a post belongs to the topic
is said here, beside its text, so that nothing of the product takes part in the judgement.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from atproto import Client, models

from tests.network.servers import Network, client_of

POST = "app.bsky.feed.post"
ABOUT = (  # each is found by a rule of collecting.RULES
    ("en", "So SoundCloud can feed my tracks to AI now and nobody asked me"),
    ("de", "SoundCloud hat jetzt eine KI-Klausel in den AGB, ich lade da nichts mehr hoch"),
    ("fr", "Les nouvelles conditions de SoundCloud autorisent l'IA à apprendre de nos morceaux"),
    ("es", "SoundCloud entrena con nuestra música sin preguntar, adiós"),
    ("pt", "Alguém leu os novos termos do SoundCloud? Querem treinar IA com tudo"),
    ("ja", "SoundCloudの規約、AI学習に使われるのは無理です"),
    ("ko", "SoundCloud 약관에 AI 학습 조항이 있대요"),
    ("tr", "Hesabımı kapattım #DeleteSoundCloud"),
    ("ar", "سأحذف حسابي اليوم #NoAISoundCloud"),
    (None, 'ＳｏｕｎｄＣｌｏｕｄ and its AI\u200b clause: <b>no</b> & "never" 🎧'),
)
BESIDE = (
    ("en", "New mix on SoundCloud, link in my bio"),
    ("en", "AI terms at another company, who cares"),
    ("de", "Heute Abend Konzert im Park"),
    ("ja", "今日の夕焼けがきれい"),
    ("en", "Read the terms before you click"),
)
ANSWERS = ("same, gone", "I deleted mine yesterday", "source?", "ありえない", "lol no")


@dataclass
class Account:
    """Somebody with a repository on the PDS; ``remembered`` is what it listed just before it was hidden."""

    name: str
    client: Client
    did: str = ""
    remembered: dict[str, str] = field(default_factory=dict)
    is_active: bool = True


@dataclass
class Record:
    """A post or repost as it was written; ``parent`` is what it answers, quotes or reposts."""

    author: Account
    uri: str
    cid: str
    value: dict[str, Any] = field(default_factory=dict)
    parent: str | None = None
    is_deleted: bool = False

    @property
    def is_repost(self) -> bool:
        return not self.value

    @property
    def rkey(self) -> str:
        return self.uri.rsplit("/", 1)[1]


class Story:
    """Writes to the network, one thing after the other; ``kept`` is every URI that the topic ever took in."""

    def __init__(self, network: Network, names: tuple[str, ...], seed: int) -> None:
        self.network = network
        self.random = random.Random(seed)
        self.records: dict[str, Record] = {}
        self.kept: set[str] = set()
        self._number, self._seed = 0, seed
        self.accounts = {name: self._sign_up(name) for name in names}

    def expected(self) -> set[tuple[str, str, bool]]:
        """(URI, text, whether visible) of everything that the store should hold now."""
        return {(uri, text, visible) for uri, text, visible in self._held() if uri in self.kept}

    def expected_context(self) -> dict[str, str]:
        """URI of every reply and quote that should be held with its parent's text, and that text."""
        texts = {uri: text for uri, text, _ in self.expected()}
        shown = {uri: text for uri, text, is_visible in self.expected() if is_visible}
        children = {uri: self.records[uri] for uri in texts if not self.records[uri].is_repost}
        return {uri: shown[child.parent] for uri, child in children.items() if child.parent in shown}

    def run(self, steps: int) -> Iterator[int]:
        """Do ``steps`` random things, one at each iteration."""
        things = {
            self.post: 30, self.answer: 16, self.quote: 10, self.repost: 10, self.edit: 14, self.delete: 14,
            self.write_several: 6,
        }  # fmt: skip
        for step in range(steps):
            self.random.choices(list(things), weights=list(things.values()))[0]()
            yield step

    def post(self, name: str = "", text: tuple[str | None, str] | None = None, **fields: Any) -> str:
        """A post of its own, about the topic in two of three cases."""
        about = self.random.random() < 0.67
        lang, words = text or self.random.choice(ABOUT if about else BESIDE)
        is_about = about if text is None else text in ABOUT
        return self._create(self._somebody(name), words, lang, kept=is_about, **fields)

    def answer(self, to: str = "", name: str = "") -> str:
        """A reply that only makes sense in its thread."""
        parent = self._record(to)
        if parent is None:
            return self.post()
        ref = {"uri": parent.uri, "cid": parent.cid}
        return self._create(
            self._somebody(name), self.random.choice(ANSWERS), None, parent=parent, reply={"root": ref, "parent": ref}
        )

    def quote(self, of: str = "", name: str = "") -> str:
        """A quote post without the topic's words."""
        parent = self._record(of)
        if parent is None:
            return self.post()
        embed = {"$type": "app.bsky.embed.record", "record": {"uri": parent.uri, "cid": parent.cid}}
        return self._create(self._somebody(name), self.random.choice(ANSWERS), "en", parent=parent, embed=embed)

    def repost(self, of: str = "", name: str = "") -> str:
        """A repost."""
        parent, author = self._record(of), self._somebody(name)
        if parent is None:
            return self.post()
        record = models.AppBskyFeedRepost.Record(
            subject={"uri": parent.uri, "cid": parent.cid}, created_at=datetime.now(UTC).isoformat()
        )
        made = author.client.app.bsky.feed.repost.create(author.did, record)
        return self._written(Record(author, made.uri, made.cid, parent=parent.uri), kept=False)

    def edit(self, uri: str = "", text: tuple[str | None, str] | None = None) -> None:
        """Other words in a post's place (putRecord), about the topic in half of the cases; a deleted one comes back."""
        record = self._record(uri)
        if record is None:
            return
        is_about = self.random.random() < 0.5 if text is None else text in ABOUT
        lang, words = text or self.random.choice(ABOUT if is_about else BESIDE)
        record.value = {**record.value, **self._value(words, lang)}
        made = record.author.client.com.atproto.repo.put_record(
            {"repo": record.author.did, "collection": POST, "rkey": record.rkey, "record": record.value}
        )
        if record.is_deleted:
            self.kept.discard(record.uri)
        record.cid, record.is_deleted = made.cid, False
        self._written(record, is_about)

    def delete(self, uri: str = "") -> None:
        """Delete a post or repost."""
        chosen = self.records.get(uri) or self._choose(lambda record: True)
        if chosen is None:
            return
        feed = chosen.author.client.app.bsky.feed
        (feed.repost if chosen.is_repost else feed.post).delete(chosen.author.did, chosen.rkey)
        chosen.is_deleted = True

    def write_several(self) -> None:
        """Several creates and a delete in one commit."""
        author = self._somebody()
        gone = self._choose(lambda record: record.author is author and not record.is_repost)
        texts = [self.random.choice(ABOUT if n else BESIDE) for n in range(3)]
        kind = "com.atproto.repo.applyWrites"
        values = [self._value(words, lang) for lang, words in texts]
        writes = [{"$type": f"{kind}#create", "collection": POST, "value": value} for value in values]
        if gone:
            writes.append({"$type": f"{kind}#delete", "collection": POST, "rkey": gone.rkey})
            gone.is_deleted = True
        made = author.client.com.atproto.repo.apply_writes({"repo": author.did, "writes": writes})
        for text, value, result in zip(texts, values, made.results, strict=False):
            self._written(Record(author, result.uri, result.cid, value), kept=text in ABOUT)

    def deactivate(self, name: str) -> None:
        account = self._hidden(name)
        account.client.com.atproto.server.deactivate_account({})

    def activate(self, name: str) -> None:
        account = self.accounts[name]
        account.client.com.atproto.server.activate_account()
        account.is_active = True

    def take_down(self, name: str) -> None:
        self.network.take_down(self._hidden(name).did)

    def undo_take_down(self, name: str) -> None:
        self.network.take_down(self.accounts[name].did, applied=False)
        self.accounts[name].is_active = self.network.status(self.accounts[name].did) == "active"

    def leave(self, name: str) -> None:
        """Delete one's own account: ask, read the mail, confirm."""
        account = self.accounts[name]
        self.network.settle()
        account.client.com.atproto.server.request_account_delete()
        token = self.network.mailed_token(account.did, "delete_account")
        account.client.com.atproto.server.delete_account({"did": account.did, "password": name, "token": token})
        self._forget(account)

    def be_deleted(self, name: str) -> None:
        """The host deletes the account."""
        self.network.settle()
        self.network.delete_account(self.accounts[name].did)
        self._forget(self.accounts[name])

    def _held(self) -> Iterator[tuple[str, str, bool]]:
        for account in self.accounts.values():
            status = self.network.status(account.did)
            if status == "deleted":
                continue
            is_visible = status == "active"
            listed = self.network.listed(account.did) if is_visible else account.remembered
            yield from ((uri, text, is_visible) for uri, text in listed.items())

    def _sign_up(self, name: str) -> Account:
        account = Account(name, client_of(self.network))
        handle = f"{name}{self._seed}.test"
        account.client.com.atproto.server.create_account(
            {"handle": handle, "email": f"{handle}@example.test", "password": name}
        )
        account.client.login(handle, name, fetch_bsky_profile=False)
        account.did = account.client._session.did
        return account

    def _somebody(self, name: str = "") -> Account:
        return self.accounts[name or self.random.choice([a.name for a in self.accounts.values() if a.is_active])]

    def _record(self, uri: str = "") -> Record | None:
        return self.records[uri] if uri else self._choose(lambda record: not record.is_repost)

    def _choose(self, fits: Any) -> Record | None:
        living = [r for r in self.records.values() if not r.is_deleted and r.author.is_active and fits(r)]
        return self.random.choice(living) if living else None

    def _value(self, words: str, lang: str | None, **fields: Any) -> dict[str, Any]:
        self._number += 1
        langs = {"langs": [lang]} if lang else {}
        now = datetime.now(UTC).isoformat()
        return {"$type": POST, "text": f"{words} ({self._number})", "createdAt": now, **langs, **fields}

    def _create(
        self,
        author: Account,
        words: str,
        lang: str | None,
        kept: bool = False,
        parent: Record | None = None,
        **fields: Any,
    ) -> str:
        value = self._value(words, lang, **fields)
        record = models.get_or_create(value, models.AppBskyFeedPost.Record)
        made = author.client.app.bsky.feed.post.create(author.did, record)
        return self._written(Record(author, made.uri, made.cid, value, parent.uri if parent else None), kept)

    def _written(self, record: Record, kept: bool) -> str:
        self.records[record.uri] = record
        parent = self.records.get(record.parent or "")
        if kept or (parent is not None and parent.uri in self.kept and not parent.is_deleted):
            self.kept.add(record.uri)
        return record.uri

    def _hidden(self, name: str) -> Account:
        account = self.accounts[name]
        if account.is_active:
            account.remembered = self.network.listed(account.did)
        account.is_active = False
        return account

    def _forget(self, account: Account) -> None:
        account.is_active = False
        for record in self.records.values():
            if record.author is account:
                record.is_deleted = True
