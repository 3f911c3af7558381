"""Upload the studio to a Hugging Face Space: only what it runs on, in one commit, without history or tests.

List it:    python -m webui.deploy --dry-run
Upload it:  hf auth login, then python -m webui.deploy NAME/inpainting-studio

A Space that exists is updated, and files of an earlier version that are no longer needed are deleted there.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg

from inpaint_core import InpaintError

ROOT = Path(__file__).resolve().parents[1]
RUNS_ON = (
    "app.py",
    "LICENSE",
    "README.md",
    "requirements.txt",
    "checkpoints",
    "docs",
    "examples",
    "inpaint_core",
    "webui",
)
"""Files and folders of the repository that a Space needs; `docs` for the pictures and pages that README shows."""
LARGEST = 10_000_000
"""Bytes of the largest file that the repository may hold; a larger one was not meant to be uploaded."""


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """Upload the studio to a Hugging Face Space."""

    space: Positional[Annotated[str, arg(metavar="OWNER/NAME")]] = ""
    """The Space, created if it does not exist."""
    hardware: str = "zero-a10g"
    """Of a new Space: zero-a10g (ZeroGPU, for free accounts) or cpu-basic, cpu-upgrade ... (paid)."""
    private: bool = False
    """A new Space is not public."""
    dry_run: bool = False
    """Only list what would be uploaded."""

    def run(self) -> None:
        """List the files, and upload them unless `dry_run`."""
        files = uploaded_files(ROOT)
        for path in files:
            print(f"{(ROOT / path).stat().st_size:>12,}  {path}")
        print(f"{sum((ROOT / path).stat().st_size for path in files):>12,}  bytes in {len(files)} files")
        if self.dry_run:
            return
        if self.space.count("/") != 1:
            raise InpaintError("Name the Space as OWNER/NAME, or add --dry-run to list what would be uploaded.")
        from huggingface_hub import HfApi, SpaceHardware

        try:
            hardware = SpaceHardware(self.hardware)
        except ValueError:
            known = ", ".join(each.value for each in SpaceHardware)
            raise InpaintError(f"There is no hardware {self.hardware!r}; choose one of {known}.") from None
        hub = HfApi()
        hub.create_repo(
            self.space,
            repo_type="space",
            space_sdk="gradio",
            space_hardware=hardware,
            private=self.private,
            exist_ok=True,
        )
        patterns = [str(path) for path in files]
        commit = hub.upload_folder(
            repo_id=self.space,
            repo_type="space",
            folder_path=ROOT,
            allow_patterns=patterns,
            delete_patterns="*",
            commit_message="Inpainting studio",
        )
        print(commit)


def uploaded_files(root: Path) -> list[Path]:
    """The files that a Space gets, relative to `root`, sorted: tracked ones of `RUNS_ON` as they are on the disk.

    Raises:
        InpaintError: `root` is no git checkout, or a file is larger than `LARGEST`.
    """
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--", *RUNS_ON], cwd=root, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise InpaintError(f"{root} is no git checkout: clone the repository, then deploy from there.") from error
    files = sorted(Path(name) for name in listed.split("\0") if name and (root / name).is_file())
    for path in files:
        if (root / path).stat().st_size > LARGEST:
            raise InpaintError(f"{path} is larger than {LARGEST / 1e6:g} MB: take it out of the repository first.")
    return files


def main() -> None:
    """The command line; an error that the user can correct is one sentence, with exit status 2."""
    try:
        tyro.cli(Deploy, description=__doc__).run()
    except InpaintError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
