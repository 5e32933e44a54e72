"""README shows what there is, and what it shows is there."""

import re
from pathlib import Path

import typer.main

from monitor.cli.app import app
from monitor.config import Secrets

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_every_command_is_documented_and_every_documented_command_exists():
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    shown = set(re.findall(r"\bmonitor ([a-z]+)\b", "\n".join(re.findall(r"`[^`\n]+`|^\$ .*$", README, re.M))))
    assert commands - shown == set()
    assert shown - commands == set()


def test_every_secret_is_named():
    assert [name for name in Secrets.model_fields if name.upper() not in README] == []


def test_the_two_commands_of_a_newcomer_stand_in_it():
    assert "pip install . && monitor demo" in README
    assert "pip install -e '.[dev]' && pytest" in README


def test_every_picture_and_file_it_points_to_exists():
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    files = re.findall(r"`((?:monitor|dashboards|tests|\.ci)/[\w./-]+)`", README)
    assert pictures
    assert [path for path in pictures + files if not (ROOT / path).exists()] == []


def test_no_path_of_one_machine_stands_in_any_file():
    import subprocess

    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    texts = [ROOT / name for name in listed if name.endswith((".py", ".md", ".toml", ".sh", ".mjs", ".json", ".sql"))]
    needles = ("/" + "work/", "/" + "root/", "/" + "home/")
    assert [path.name for path in texts if path.exists() and any(n in path.read_text("utf-8") for n in needles)] == []


def test_no_place_was_left_to_fill_in():
    assert re.findall(r"\b[A-Z]+_OUTPUT\b|\bMACHINE\b", README) == []
