"""What the server refuses before Gradio sees it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from webui import disk, guard
from webui.disk import Disk
from webui.guard import Guard

OWN = "http://studio.example"


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/{path:path}", lambda request: PlainTextResponse("served"), methods=["GET", "POST"])]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Guard)]), base_url=OWN)


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://elsewhere.example/page",
        "/gradio_api/file=HTTPS://elsewhere.example/page",
        "/gradio_api/file=http%3A%2F%2Felsewhere.example",
        "/gradio_api/proxy=https://elsewhere.example/",
    ],
)
def test_foreign_pages_are_not_handed_out_under_our_origin(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 403
    assert answer.json()["error"] == "This server hands out its own files only."


def test_own_files_are_handed_out(client: TestClient) -> None:
    assert client.get("/gradio_api/file=/tmp/gradio/photo.png").text == "served"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": OWN}, 200),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://proxy.example", "x-forwarded-host": "proxy.example"}, 200),
        ({"origin": "https://proxy.example", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "https://friend.example"}, 200),
    ],
)
def test_scripts_of_foreign_pages_are_refused(
    headers: dict[str, str], status: int, monkeypatch: pytest.MonkeyPatch, client: TestClient
) -> None:
    monkeypatch.setenv("INPAINT_ALLOWED_ORIGINS", "https://friend.example/, https://other.example")
    assert client.post("/gradio_api/call/inpaint", headers=headers).status_code == status


def test_the_health_of_the_server_is_answered_at_once(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_an_address_uploads_no_more_than_a_share_and_none_more_than_the_disk_holds(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(guard, "UPLOADED_BYTES", 100.0)
    assert client.post("/gradio_api/upload", content=bytes(60)).text == "served"
    refused = client.post("/gradio_api/upload", content=bytes(60))
    assert refused.status_code == 429
    assert "try again in an hour" in refused.json()["error"]
    assert client.post("/gradio_api/upload", content=iter([b"length unknown"])).status_code == 411
    kept = Disk(tmp_path)
    monkeypatch.setattr(disk, "ALL_BYTES", 10.0)
    app = Starlette(routes=client.app.routes, middleware=[Middleware(Guard, disk=kept)])  # type: ignore[attr-defined]
    assert TestClient(app, base_url=OWN).post("/gradio_api/upload", content=bytes(20)).status_code == 507


def test_an_address_has_no_more_calls_in_the_server_than_its_share_and_the_next_one_is_served() -> None:
    sent = SimpleNamespace(request=Request({"type": "http", "client": ("10.0.0.1", 1), "headers": []}))
    waiting = SimpleNamespace(queue=[sent] * (guard.CALLS_OF_ADDRESS - 3))
    queue = SimpleNamespace(event_queue_per_concurrency_id={"fills": waiting}, active_jobs=[None, [sent] * 3])
    served = Starlette(routes=[Route("/{path:path}", lambda request: PlainTextResponse("served"), methods=["POST"])])
    served.blocks = SimpleNamespace(_queue=queue)  # type: ignore[attr-defined]
    served.add_middleware(Guard)
    for path in ("/gradio_api/queue/join", "/gradio_api/call/inpaint"):
        first = TestClient(served, base_url=OWN, client=("10.0.0.1", 1)).post(path)
        assert first.status_code == 429
        assert first.json()["error"].startswith("Too many calls from your network address")
        assert TestClient(served, base_url=OWN, client=("10.0.0.2", 1)).post(path).text == "served"


def test_a_page_is_open_as_long_as_its_heartbeat_lasts() -> None:
    pages: Counter[str] = Counter()
    seen = []

    def beat(request: Request) -> PlainTextResponse:
        seen.append(dict(pages))
        return PlainTextResponse("ALIVE")

    routes = [Route("/gradio_api/heartbeat/{session}", beat)]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, open_pages=pages)])
    TestClient(app, base_url=OWN).get("/gradio_api/heartbeat/abc")
    assert seen == [{"abc": 1}]
    assert not pages


def test_what_an_mcp_client_asks_for_counts_as_its_own() -> None:
    routes = [Route("/gradio_api/mcp/", lambda request: PlainTextResponse(request.headers["x-forwarded-for"]))]
    app = Starlette(routes=routes, middleware=[Middleware(Guard)])
    client = TestClient(app, base_url=OWN, client=("10.0.0.7", 1))
    assert client.get("/gradio_api/mcp/", headers={"x-forwarded-for": "127.0.0.1"}).text == "10.0.0.7"
