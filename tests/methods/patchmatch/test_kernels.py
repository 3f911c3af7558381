"""The compiled loops give the same bits whether they were compiled just now or came from the cache."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from inpaint_core.methods.patchmatch import diffusion, guided_kernels, kernels, seams

MODULES = [Path(str(module.__file__)) for module in (kernels, guided_kernels, diffusion, seams)]


def _decorated(tree: ast.AST, decorator: str) -> dict[str, ast.FunctionDef]:
    return {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(ast.unparse(each) == decorator for each in node.decorator_list)
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_a_compiled_loop_calls_is_made_part_of_it(path: Path) -> None:
    tree = ast.parse(path.read_text())
    compiled, inlined = _decorated(tree, "compiled"), _decorated(tree, "inlined")
    assert compiled
    for function in (*compiled.values(), *inlined.values()):
        calls = {
            node.func.id
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & set(compiled), f"{function.name} calls a function that is not inlined"
