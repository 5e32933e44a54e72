import json

import pytest

from monitor.classify.files import score_file
from monitor.classify.language import is_known


@pytest.mark.parametrize(
    "text", ["deleted my tracks", "規約が変わった", "약관이 바뀌었다", "😡😡", "", "12345", "я left SoundCloud today"]
)
def test_the_ten_languages_are_known_and_so_is_what_has_no_letters(text):
    assert is_known(text)


@pytest.mark.parametrize("text", ["Я удалил все треки", "حذفت كل شيء", "ลบทุกอย่างแล้ว", "מחקתי הכול"])
def test_other_scripts_are_not(text):
    assert not is_known(text)


def test_what_the_platform_says_counts_too():
    assert not is_known("Jag tog bort allt", "sv")
    assert is_known("Gone", "en-GB")
    assert is_known("Gone", "und")


def test_a_text_in_another_language_is_scored_flagged_and_wholly_unsure(tmp_path, tiny_scorer):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"id": 1, "text": "Я удалил треки, AI"},
        {"id": 2, "text": "tog bort AI", "lang": "sv"},
        {"id": 3, "text": "AI"},
    ]
    source.write_text("\n".join(map(json.dumps, rows)))
    score_file(source, out, scorer=tiny_scorer)
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row.get("language") for row in found] == ["unknown", "unknown", None]
    assert [row["unsure"] for row in found[:2]] == [["relevant", "concern", "removal", "stance"]] * 2
    assert all("relevant" in row for row in found)
