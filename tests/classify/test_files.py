import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from monitor.classify.files import score_file
from monitor.errors import MonitorError


def scored(tmp_path, scorer, content: bytes):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(content)
    outcome = score_file(source, out, scorer=scorer)
    return outcome, [json.loads(line) for line in out.read_text().splitlines()]


def line(**fields) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def test_each_line_gives_one_line_in_the_shape_that_readers_expect(tmp_path, tiny_scorer):
    outcome, [row] = scored(tmp_path, tiny_scorer, line(id="a", text="deleted my tracks, AI terms"))
    assert outcome.scored == 1
    assert list(row) == ["id", "relevant", "concern", "removal", "stance", "unsure", "model"]
    assert 0 <= row["relevant"] <= 1
    assert 0 <= row["concern"]["expected"] <= 3
    assert sum(row["concern"]["probs"]) == pytest.approx(1, abs=1e-5)
    assert list(row["removal"]) == ["none", "considering", "committed", "done", "blocked"]
    assert list(row["stance"]) == ["critical", "neutral", "supportive"]
    assert row["model"] == tiny_scorer.model_id


def test_bad_lines_are_reported_by_number_and_the_rest_is_scored_in_order(tmp_path, tiny_scorer):
    content = b"".join(
        [
            line(id=1, text="AI clause in the terms"),
            b"{broken\n",
            b'{"id": 3, "text": "\xff\xfe"}\n',
            line(id=4, text="   "),
            line(id=5),
            b"[1, 2]\n",
            line(id=7, text=None),
            b"\n",
            b'{"id": 9, "text": "' + b"[" * 10 + b'"}\n',
            b"[" * 200_000 + b"\n",
            line(text="no id at all", context=5, platform=[]),
        ]
    )
    outcome, rows = scored(tmp_path, tiny_scorer, content)
    assert [number for number, _ in outcome.faults] == [2, 3, 4, 5, 6, 7, 8, 10]
    assert outcome.scored == 3
    assert [row.get("id") for row in rows] == [1, None, None, 4, 5, None, 7, None, 9, None, None]
    assert [index for index, row in enumerate(rows, 1) if "error" in row] == [2, 3, 4, 5, 6, 7, 8, 10]
    assert dict(outcome.faults)[3] == "not UTF-8"
    assert dict(outcome.faults)[4] == "no text"


def test_odd_texts_are_scored_like_any_other(tmp_path, tiny_scorer):
    texts = [
        "😡😡😡",
        "nul \x00 inside",
        "\ud83d",
        "\u202ertl\u202c \u200b",
        "a" * 5_000_000,
        "\n\n.",
        "@",
        "#",
        "http://",
    ]
    content = b"".join(line(id=n, text=text) for n, text in enumerate(texts))
    outcome, rows = scored(tmp_path, tiny_scorer, content)
    assert outcome.faults == ()
    assert [row["id"] for row in rows] == list(range(len(texts)))
    assert all(sum(row["removal"].values()) == pytest.approx(1, abs=1e-4) for row in rows)


def test_a_byte_order_mark_a_missing_last_newline_and_an_empty_file_are_fine(tmp_path, tiny_scorer):
    outcome, rows = scored(
        tmp_path, tiny_scorer, b"\xef\xbb\xbf" + line(id="a", text="hello") + line(id="b", text="x").strip()
    )
    assert [row["id"] for row in rows] == ["a", "b"]
    assert not outcome.faults
    assert scored(tmp_path, tiny_scorer, b"")[1] == []


def test_the_platform_of_a_line_stands_for_its_names(tmp_path, tiny_scorer):
    text = "deleted my tracks from Waveparlour, AI terms"
    _, rows = scored(
        tmp_path,
        tiny_scorer,
        line(id=1, text=text, platform="Waveparlour") + line(id=2, text=text.replace("Waveparlour", "Platform")),
    )
    assert rows[0]["removal"] == rows[1]["removal"]


def test_more_lines_than_fit_one_step_keep_their_order_and_report_progress(tmp_path, tiny_scorer):
    source, out, told = tmp_path / "in", tmp_path / "out", []
    source.write_bytes(b"".join(line(id=n, text=f"post {n % 7}") for n in range(1100)))
    score_file(source, out, scorer=tiny_scorer, on_progress=told.append)
    assert [json.loads(row)["id"] for row in out.read_text().splitlines()] == list(range(1100))
    assert sum(told) == 1100
    assert len(told) > 1


def test_dashes_mean_stdin_and_stdout(tiny_scorer, monkeypatch):
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(line(id="a", text="AI"))))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    score_file(Path("-"), Path("-"), scorer=tiny_scorer)
    assert json.loads(out.getvalue())["id"] == "a"


class Broken:
    model_id = "broken"

    def score(self, items):
        raise KeyboardInterrupt


def test_an_interrupted_run_leaves_the_old_output_as_it_was(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.write_bytes(line(id=1, text="a"))
    out.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        score_file(source, out, scorer=Broken())
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_files_that_cannot_be_opened_are_explained(tmp_path, tiny_scorer):
    with pytest.raises(MonitorError, match="nowhere"):
        score_file(tmp_path / "nowhere", tmp_path / "out", scorer=tiny_scorer)
    (tmp_path / "in").write_bytes(line(id=1, text="a"))
    with pytest.raises(MonitorError, match="missing"):
        score_file(tmp_path / "in", tmp_path / "missing" / "out", scorer=tiny_scorer)
