"""The endpoints for programs, called as a program calls them: by gradio_client and MCP over HTTP."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from tests.serving import served


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("gradio"), workers=2) as url:
        yield url


@pytest.fixture(scope="module")
def client(address: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(address, verbose=False, download_files=str(tmp_path_factory.mktemp("answers")))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> dict[str, Path]:
    """A photo, a mask of its size, and what people send by mistake."""
    folder = tmp_path_factory.mktemp("files")
    mask = np.zeros((128, 160), np.uint8)
    mask[40:80, 50:100] = 255
    pictures = {
        "photo": astronaut[100:228, 100:260],
        "mask": mask,
        "small": mask[:64, :64],
        "empty": np.zeros_like(mask),
        "full": np.full_like(mask, 255),
    }
    paths = {}
    for name, picture in pictures.items():
        paths[name] = folder / f"{name}.png"
        Image.fromarray(picture).save(paths[name])
    paths["text"] = folder / "text.png"
    paths["text"].write_text("no picture at all")
    paths["truncated"] = folder / "truncated.png"
    paths["truncated"].write_bytes(paths["photo"].read_bytes()[:5000])
    return paths


def _array(path: str) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_inpaint_fills_the_hole_and_nothing_else(client: Client, files: dict[str, Path]) -> None:
    answer = client.predict(
        photo=handle_file(files["photo"]), mask=handle_file(files["mask"]), method="telea", api_name="/inpaint"
    )
    before, after, hole = _array(str(files["photo"])), _array(answer), _array(str(files["mask"])) > 0
    assert answer.endswith("photo_telea.png")
    assert np.array_equal(before[~hole], after[~hole])
    assert not np.array_equal(before[hole], after[hole])


def test_a_result_comes_in_the_format_asked_for(client: Client, files: dict[str, Path]) -> None:
    answer = client.predict(
        photo=handle_file(files["photo"]),
        mask=handle_file(files["mask"]),
        method="ns",
        format="jpg",
        blend=None,
        api_name="/inpaint",
    )
    assert Image.open(answer).format == "JPEG"


@pytest.mark.parametrize(
    ("photo", "mask", "changes", "words"),
    [
        ("photo", "mask", {"method": "magic"}, "magic"),
        ("photo", "mask", {"format": "docx"}, "docx"),
        ("photo", "small", {}, "64"),
        ("photo", "small", {"dilate": 5}, "64"),
        ("photo", "empty", {}, "mask"),
        ("photo", "full", {}, "mask"),
        ("photo", "full", {"invert": True}, "mask"),
        ("photo", "text", {}, "text.png"),
        ("text", "mask", {}, "text.png"),
        ("truncated", "mask", {}, "truncated.png"),
        ("photo", "mask", {"seed": 1 << 70}, "seed"),
        ("photo", "mask", {"seed": None}, "seed"),
        ("photo", "mask", {"dilate": 1e300}, "dilat"),
        (None, "mask", {}, "photo"),
        ("photo", None, {}, "mask"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(
    client: Client, files: dict[str, Path], photo: str | None, mask: str | None, changes: dict, words: str
) -> None:
    sent = {name: value and handle_file(files[value]) for name, value in (("photo", photo), ("mask", mask))}
    with pytest.raises(AppError) as caught:
        client.predict(**sent, **{"method": "ns", **changes}, api_name="/inpaint")
    sentence = str(caught.value)
    assert words.lower() in sentence.lower()
    assert sentence.rstrip().endswith(".")
    assert "Traceback" not in sentence
    assert "\n" not in sentence.strip()


def test_ten_people_at_once_each_get_their_own_photo(address: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    hole = np.zeros((96, 120), bool)
    hole[30:60, 40:80] = True
    Image.fromarray(hole.astype(np.uint8) * 255).save(tmp_path / "mask.png")

    def one_person(number: int) -> tuple[np.ndarray, np.ndarray]:
        mine = np.full((96, 120, 3), (25 * number, 255 - 25 * number, 7 * number), np.uint8)
        mine[:, ::10] = noise[number]
        Image.fromarray(mine).save(tmp_path / f"{number}.png")
        # everyone's file has the same name, as everyone's phone calls it so
        own = tmp_path / str(number)
        own.mkdir()
        (tmp_path / f"{number}.png").rename(own / "IMG_0001.png")
        client = Client(address, verbose=False, download_files=str(own))
        method = ("ns", "telea")[number % 2]
        for _ in range(2):
            answer = client.predict(
                photo=handle_file(own / "IMG_0001.png"),
                mask=handle_file(tmp_path / "mask.png"),
                method=method,
                api_name="/inpaint",
            )
        return mine, _array(answer)

    noise = rng.integers(0, 256, (10, 96, 12, 3), dtype=np.uint8)
    with ThreadPoolExecutor(10) as people:
        answers = list(people.map(one_person, range(10)))
    assert len(answers) == 10
    for mine, answer in answers:
        assert np.array_equal(mine[~hole], answer[~hole])
        assert np.abs(answer[hole].mean(axis=0) - mine[hole].mean(axis=0)).max() < 60


def test_compare_measures_each_method_where_the_truth_is_known(client: Client, files: dict[str, Path]) -> None:
    job = client.submit(
        photo=handle_file(files["photo"]),
        mask=handle_file(files["mask"]),
        methods="telea, ns",
        hide_and_seek=True,
        api_name="/compare",
    )
    pictures, rows = job.result()
    assert [row["method"] for row in rows] == ["ns", "telea"]  # the cheaper one first
    assert len(job.outputs()) == 2  # streamed, one more at a time
    assert len(pictures) == 2
    for row in rows:
        assert row["metrics"]["hole_l1"] > row["metrics"]["l1"] > 0
        assert {"hole_l2", "hole_psnr", "hole_ssim", "hole_tv"} <= set(row["metrics"])


def test_make_mask_draws_for_a_photo_and_repairs_a_mask(client: Client, files: dict[str, Path]) -> None:
    drawn = [client.predict(photo=handle_file(files["photo"]), seed=seed, api_name="/make_mask") for seed in (1, 1, 2)]
    first, again, other = (_array(path) for path in drawn)
    assert first.shape == (128, 160)
    assert set(np.unique(first)) == {0, 255}
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    grown = client.predict(mask=handle_file(files["mask"]), dilate=3, api_name="/make_mask")
    flipped = client.predict(mask=handle_file(files["mask"]), invert=True, api_name="/make_mask")
    mask = _array(str(files["mask"]))
    assert (_array(grown) > mask).sum() > 0
    assert not (_array(grown) < mask).any()
    assert np.array_equal(_array(flipped), 255 - mask)
    with pytest.raises(AppError, match=r"\."):
        client.predict(kind="spiral", api_name="/make_mask")


def test_methods_are_those_of_the_catalogue(client: Client) -> None:
    import inpaint_core

    records = client.predict(api_name="/methods")
    assert [record["name"] for record in records] == [method.name for method in inpaint_core.methods()]
    assert all(record["ready"] for record in records if record["name"] in ("ns", "telea"))


def test_only_the_four_endpoints_are_offered(client: Client) -> None:
    offered = client.view_api(return_format="dict")
    assert set(offered["named_endpoints"]) == {"/inpaint", "/compare", "/make_mask", "/methods"}
    assert not offered["unnamed_endpoints"]


def test_the_server_refuses_foreign_pages_foreign_scripts_and_its_visitors_statistics(address: str) -> None:
    assert httpx.get(f"{address}gradio_api/file=http://127.0.0.1:9/page").status_code == 403
    foreign = {"origin": "https://elsewhere.example"}
    assert httpx.post(f"{address}gradio_api/call/methods", json={"data": []}, headers=foreign).status_code == 403
    assert httpx.post(f"{address}gradio_api/call/methods", json={"data": []}).status_code == 200
    assert not httpx.get(f"{address}monitoring/summary").is_success
    assert httpx.get(f"{address}healthz").json() == {"status": "ok"}


def test_mcp_offers_the_four_tools_with_described_arguments(address: str) -> None:
    with urllib.request.urlopen(f"{address}gradio_api/mcp/schema") as answer:
        tools = {tool["name"]: tool for tool in json.load(answer)}
    assert set(tools) == {"inpaint", "compare", "make_mask", "methods"}
    arguments = tools["inpaint"]["inputSchema"]["properties"]
    assert {"photo", "mask", "method", "sketch", "seed"} <= set(arguments)
    for tool in tools.values():
        assert tool["description"]
        assert all(argument.get("description") for argument in tool["inputSchema"]["properties"].values())


def test_an_mcp_client_fills_a_photo(address: str, files: dict[str, Path]) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    def sent(name: str) -> str:
        return "data:image/png;base64," + base64.b64encode(files[name].read_bytes()).decode()

    async def call() -> list:
        async with (
            streamablehttp_client(f"{address}gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            arguments = {"photo": sent("photo"), "mask": sent("mask"), "method": "telea"}
            answer = await session.call_tool("inpaint", arguments)
            refusal = await session.call_tool("inpaint", {**arguments, "method": "magic"})
            return [answer, refusal]

    answer, refusal = asyncio.run(call())
    picture = next(part for part in answer.content if part.type == "image")
    after = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.data))))
    before, hole = _array(str(files["photo"])), _array(str(files["mask"])) > 0
    assert np.array_equal(before[~hole], after[~hole])
    assert not np.array_equal(before[hole], after[hole])
    assert refusal.isError
    assert "There is no method 'magic'" in refusal.content[0].text


def test_an_mcp_client_hands_the_mask_of_one_tool_to_the_next(address: str, files: dict[str, Path]) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    photo = "data:image/png;base64," + base64.b64encode(files["photo"].read_bytes()).decode()

    async def call() -> list:
        async with (
            streamablehttp_client(f"{address}gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            drawn = await session.call_tool("make_mask", {"photo": photo, "kind": "box"})
            url = next(part.text.split(": ", 1)[1] for part in drawn.content if part.type == "text")
            filled = await session.call_tool("inpaint", {"photo": photo, "mask": url, "method": "telea"})
            other = f"{address}gradio_api/file=/etc/hostname"
            refused = await session.call_tool("inpaint", {"photo": photo, "mask": other, "method": "telea"})
            return [url, filled, refused]

    url, filled, refused = asyncio.run(call())
    assert url.startswith("http://127.0.0.1")
    assert not filled.isError
    assert any(part.type == "image" for part in filled.content)
    assert refused.isError
