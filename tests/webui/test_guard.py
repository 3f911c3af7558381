"""What the server refuses before Gradio sees it."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

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
    assert answer.json() == {"error": "This server hands out its own files only."}


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
