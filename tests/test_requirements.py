"""The lock file belongs to the requirements that it was made from."""

from __future__ import annotations

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def _lines(name: str) -> list[str]:
    return [line for line in (ROOT / name).read_text().splitlines() if line.strip()]


def _locked() -> list[Requirement]:
    """What requirements.lock pins."""
    text = (ROOT / "requirements.lock").read_text()
    return [Requirement(line.rstrip(" \\")) for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]


def test_every_requirement_is_pinned_within_its_range_for_each_python() -> None:
    wanted = [Requirement(line) for line in _lines("requirements.txt")]
    for python in PYTHONS:
        environment = {**default_environment(), "python_version": python, "python_full_version": f"{python}.4"}
        for requirement in wanted:
            pins = [
                str(pin.specifier).removeprefix("==")
                for pin in _locked()
                if pin.name == requirement.name.replace("_", "-").lower()
                and (pin.marker is None or pin.marker.evaluate(environment))
            ]
            assert len(pins) == 1, f"{requirement.name} for Python {python}: run make lock"
            assert requirement.specifier.contains(pins[0]), f"{requirement} is not {pins[0]}: run make lock"


def test_every_pin_has_hashes_and_none_is_bound_to_a_place() -> None:
    text = (ROOT / "requirements.lock").read_text()
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        assert "--hash=sha256:" in block, block.splitlines()[0]
    assert "://" not in text


def test_whatever_the_page_imports_is_named() -> None:
    named = {Requirement(line).name.lower().replace("_", "-") for line in _lines("requirements.txt")}
    named |= {"starlette", "fastapi", "gradio-client"}  # pinned by gradio, which is written with them
    distributions = packages_distributions()
    for path in [ROOT / "app.py", *(ROOT / "inpaint_core").rglob("*.py"), *(ROOT / "webui").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in {(module or "").partition(".")[0] for module in modules} - {"spaces"}:  # part of a Space
                owners = {name.lower().replace("_", "-") for name in distributions.get(module, [])}
                assert not owners or owners & named, f"{path.name} imports {module}: add it to requirements.txt"
