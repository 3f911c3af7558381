"""What a Space gets: all that it runs on, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from inpaint_core import InpaintError
from webui import deploy


def test_it_uploads_what_the_page_runs_on_and_no_tests_training_or_history() -> None:
    names = {path.as_posix() for path in deploy.uploaded_files(deploy.ROOT)}
    assert {"app.py", "README.md", "requirements.txt", "webui/page.py", "checkpoints/manifest.json"} <= names
    assert not [name for name in names if name.startswith(("tests/", "train/", ".git", "benchmarks/", "runs/"))]


def test_a_file_too_large_for_the_repository_is_not_uploaded(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "checkpoints").mkdir()
    with (tmp_path / "checkpoints" / "huge.safetensors").open("wb") as file:
        file.truncate(deploy.LARGEST + 1)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    with pytest.raises(InpaintError, match=r"huge\.safetensors is larger"):
        deploy.uploaded_files(tmp_path)


def test_a_folder_without_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InpaintError, match="no git checkout"):
        deploy.uploaded_files(tmp_path)


def test_a_dry_run_lists_and_a_real_one_uploads_the_same_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: dict[str, dict[str, Any]] = {}

    class Hub:
        """Keeps what it was asked."""

        def create_repo(self, space: str, **options: Any) -> None:
            calls["create"] = {"space": space, **options}

        def upload_folder(self, **options: Any) -> str:
            calls["upload"] = options
            return "https://hub.example/commit"

    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    deploy.Deploy(dry_run=True).run()
    assert calls == {}
    assert "app.py" in capsys.readouterr().out
    deploy.Deploy(space="someone/studio").run()
    assert calls["create"]["space"] == "someone/studio"
    assert calls["create"]["space_hardware"] == "zero-a10g"
    assert calls["upload"]["allow_patterns"] == [str(path) for path in deploy.uploaded_files(deploy.ROOT)]
    with pytest.raises(InpaintError, match="OWNER/NAME"):
        deploy.Deploy().run()
