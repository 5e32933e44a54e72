"""The shape of the house, where a linter cannot see it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted([*ROOT.glob("monitor/**/*.py"), *ROOT.glob("dashboards/**/*.py")])
SQL = re.compile(
    r"\b(select\s.+\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from|create\s+(temp\s+)?table)\b", re.I | re.S
)
SDKS = {"atproto", "tweepy", "torch", "transformers"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_sql_stands_in_python(path):
    tree = ast.parse(path.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        if SQL.search(node.value)
    ]
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_heavy_libraries_are_imported_only_inside_functions_or_by_the_model(path):
    if "monitor/classify/" in name(path) or "monitor/collect/" in name(path):
        pytest.skip("these rooms own them")
    tree = ast.parse(path.read_text())
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        (alias.name if isinstance(node, ast.Import) else node.module or "").split(".")[0]
        for node in top
        for alias in node.names
    }
    assert names & SDKS == set()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_is_longer_than_300_lines(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_has_a_name_that_says_nothing(path):
    assert not set(path.with_suffix("").parts) & {"utils", "helpers", "manager", "core", "common", "misc"}


def test_every_query_says_what_it_asks_and_is_one_select():
    for path in sorted((ROOT / "monitor/store/queries").glob("*.sql")):
        text = path.read_text()
        assert re.match(r"-- question: .+", text), path.name
        assert "-- params: " in text, path.name
        assert "-- columns: " in text, path.name
        body = re.sub(r"--.*", "", text).strip().rstrip(";")
        assert body.upper().startswith(("SELECT", "WITH", "FROM")), path.name
        assert ";" not in body, path.name


def test_the_top_level_holds_the_plan_and_nothing_else():
    allowed = {"monitor", "dashboards", "tests", "pyproject.toml", "README.md", "LICENSE"}
    tracked = {line.split("/")[0] for line in _tracked()}
    assert {entry for entry in tracked if not entry.startswith(".")} <= allowed


def _tracked() -> list[str]:
    import subprocess

    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return done.stdout.split()
