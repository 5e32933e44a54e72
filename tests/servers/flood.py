"""A Jetstream server in a process of its own that sends as fast as a socket takes it, in the shapes of the real wire.

The mix is that of 4 July 2026 (bluesky-social/jetstream's corpus) filtered to what the program asks for: 17 posts to
15 reposts, one delete, one account and one identity event. Frames are assembled beforehand but for their number, and
written without ``websockets``, so that the client is what is measured.
"""

from __future__ import annotations

import multiprocessing
import random
import string
import struct
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

import orjson
import zstandard
from websockets.sync.server import ServerConnection

from monitor.demo.jetstream import Params
from tests.servers.events import NSID, POST, REPOST
from tests.servers.jetstream import FaultyJetstream

_TEXTS = (
    (
        "en",
        "I can't stop thinking about how the light came through the trees this morning, the best walk in weeks",
    ),
    (
        "en",
        "New blog post: what I learned from running the same marathon five times\n\nwww.example.org/running/five-...",
    ),
    ("en", "lol"),
    ("en", "Hot take: the second season was better than the first one and I will not be taking questions #television"),
    ("en-US", "Has anyone else noticed that the trains are late every single Tuesday? There must be a reason for it."),
    (
        "ja",
        "待って天幕のジャードゥーガル観ようと思ってたのに今日だったの知らなかった……ネトフリでも観られるっぽいよかった💦",
    ),
    ("ja", "今日のお昼はカレーうどん。やっぱり寒い日はこれに限るなあ。"),
    ("pt", "bom dia gente, hoje tem jogo e eu não consigo pensar em outra coisa desde ontem à noite 💙"),
    (
        "de",
        "Guten Morgen! Heute gibt es frische Brötchen und danach geht es an die Ostsee. Habt ein schönes Wochenende.",
    ),
    ("es", "No me puedo creer que ya sea noviembre, este año ha pasado volando y todavía no he leído ni la mitad"),
    ("ko", "이쁘시네요~~~"),
    ("ru", "Вечерок с котом, дошли и до второго сезона 😍🔥 такая красота, что слов нет"),
    (
        "en",
        "There's a sound in this recording that I can't place. A bell? Or a machine under a cloud of reverb?",
    ),
    (
        "fr",
        "Qui pour aller voir l'expo ce week-end ? Il paraît que la file d'attente est longue mais que ça vaut le coup.",
    ),
    (
        "en",
        "SoundCloud's new terms let them train AI on everything we uploaded. Read them before you post another track.",
    ),
    ("en", "@alice.example.org that is exactly what I said to him yesterday and he just would not listen to any of it"),
    ("th", "วันนี้อากาศดีมาก ออกไปเดินเล่นกันเถอะ"),
)
_TEMPLATES = 4_000
_CHUNK = 64  # frames in one write
_LETTERS = string.ascii_lowercase + "234567"


class Flood:
    """Serve ``count`` events to each client; use it with ``with``.

    Args:
        count: how many.
        is_compressed: by dictionary, as the real server does.
    """

    def __init__(self, count: int, *, is_compressed: bool = True) -> None:
        self._arguments = (count, is_compressed)

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()  # the server ends with our end of it
        self._process = context.Process(target=_serve, args=(theirs, *self._arguments), daemon=True)
        self._process.start()
        self.url, self.frame_bytes = self._pipe.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, count: int, is_compressed: bool) -> None:
    templates = [orjson.dumps({"$type": "message", "payload": event}).split(b'"@"') for event in _events()]
    samples = [b"1".join(parts) for parts in templates]
    known = zstandard.train_dictionary(64 * 1024, samples[:1_000], dict_id=7) if is_compressed else None
    with _FloodServer(templates, count, known) as server:
        pipe.send((server.url, sum(map(len, samples)) / len(samples)))
        pipe.poll(None)


class _FloodServer(FaultyJetstream):
    def __init__(self, templates: list[list[bytes]], count: int, known: zstandard.ZstdCompressionDict | None) -> None:
        super().__init__(dictionary=known.as_bytes() if known else None, from_start=True)
        self._templates, self._count = templates, count
        self._compressor = zstandard.ZstdCompressor(level=1, dict_data=known) if known else None

    def _stream(self, connection: ServerConnection, params: Params, index: int) -> None:
        chunk: list[bytes] = []
        for seq in range(1, self._count + 1):
            before, after = self._templates[seq % len(self._templates)]
            frame = b"%b%d%b" % (before, seq, after)
            chunk.append(
                _framed(self._compressor.compress(frame) if self._compressor else frame, self._compressor is not None)
            )
            if len(chunk) == _CHUNK or seq == self._count:
                with connection.protocol_mutex:  # or a ping may come to stand in the middle of a frame
                    connection.socket.sendall(b"".join(chunk))
                chunk.clear()
        self._is_closed.wait()


def _framed(message: bytes, is_binary: bool) -> bytes:
    """RFC 6455, section 5.2: a whole unmasked message."""
    opcode, size = 0x82 if is_binary else 0x81, len(message)
    if size < 126:
        return struct.pack("!BB", opcode, size) + message
    return (
        struct.pack("!BBH", opcode, 126, size) + message
        if size < 2**16
        else struct.pack("!BBQ", opcode, 127, size) + message
    )


def _events() -> list[dict[str, Any]]:
    chance = random.Random(20260704)
    kinds = ["post"] * 17 + ["repost"] * 15 + ["delete", "account", "identity"]
    return [_event(chance, chance.choice(kinds)) for _ in range(_TEMPLATES)]


def _event(chance: random.Random, kind: str) -> dict[str, Any]:
    author = _did(chance)
    payload = {
        "seq": "@",
        "did": author,
        "time": "2026-07-04T14:38:08.384849Z",
        "witnessedAt": "2026-07-04T14:38:08.384849Z",
    }
    if kind in ("account", "identity"):
        state = {"did": author, "seq": 31527015471, "time": "2026-07-04T14:38:07.877Z"}
        return payload | {"$type": f"{NSID}#{kind}", kind: state | ({"active": True} if kind == "account" else {})}
    payload |= {"$type": f"{NSID}#commit", "rev": _word(chance, 13), "collection": REPOST if kind == "repost" else POST}
    payload |= {"operation": "delete" if kind == "delete" else "create", "rkey": _word(chance, 13)}
    if kind == "delete":
        return payload
    record = _post(chance) if kind == "post" else {"$type": REPOST, "subject": _ref(chance)}
    return payload | {"record": record | {"createdAt": "2026-07-04T14:38:07.594Z"}, "cid": _cid(chance)}


def _post(chance: random.Random) -> dict[str, Any]:
    lang, text = chance.choice(_TEXTS)
    record: dict[str, Any] = {"$type": POST, "langs": [lang], "text": text}
    if chance.random() < 0.45:
        record["reply"] = {"parent": _ref(chance), "root": _ref(chance)}
    if chance.random() < 0.25:
        image = {"$type": "blob", "ref": {"$link": _cid(chance)}, "mimeType": "image/jpeg", "size": 187484}
        shape = {"alt": "", "aspectRatio": {"height": 889, "width": 889}, "image": image}
        record["embed"] = {"$type": "app.bsky.embed.images", "images": [shape]}
    elif chance.random() < 0.2:
        uri = f"https://www.example.org/{_word(chance, 9)}/{_word(chance, 20)}"
        card = {"title": text[:60], "description": text, "uri": uri}
        record["embed"] = {"$type": "app.bsky.embed.external", "external": card}
        link = {"$type": "app.bsky.richtext.facet#link", "uri": uri}
        record["facets"] = [{"features": [link], "index": {"byteStart": 0, "byteEnd": 31}}]
    return record


def _ref(chance: random.Random) -> dict[str, str]:
    return {"cid": _cid(chance), "uri": f"at://{_did(chance)}/{POST}/{_word(chance, 13)}"}


def _did(chance: random.Random) -> str:
    return f"did:plc:{_word(chance, 24)}"


def _cid(chance: random.Random) -> str:
    return f"bafyrei{_word(chance, 52)}"


def _word(chance: random.Random, length: int) -> str:
    return "".join(chance.choices(_LETTERS, k=length))
