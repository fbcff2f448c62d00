"""The gateway: the event a handler gets, and what is answered without one."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chalice.app import Chalice
from chalice.app import Response as LambdaResponse

from chalicelib.core import answers
from chalicelib.core.config import config
from local.gateway import Gateway
from local.http_server import Request, Response
from local.lambdas import for_many_threads
from local.routes import Match, Routes


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1/nowhere?sslmode=disable")
    config.cache_clear()
    yield
    config.cache_clear()


class Program:
    """An app of two routes; `held` keeps `/v1/held` from answering until it is set."""

    def __init__(self) -> None:
        self.held = threading.Event()
        self.app = for_many_threads(Chalice(app_name="program"))
        self.app.route("/v1/things/{name}", methods=["GET"], cors=answers.cors())(self._thing)
        kinds = ["application/json"]
        self.app.route("/v1/things", methods=["POST"], content_types=kinds)(self._make)
        self.app.route("/v1/held", methods=["GET"])(self._hold)

    def _thing(self, name: str) -> LambdaResponse:
        request: Any = self.app.current_request
        told = {
            "name": name,
            "query": {key: request.query_params.getlist(key) for key in request.query_params or ()},
            "address": request.context["identity"]["sourceIp"],
            "id": request.context["requestId"],
            "same": self.app.current_request is request,
        }
        return LambdaResponse(json.dumps(told), {"X-Several": ["1", "2"]})

    def _make(self) -> LambdaResponse:
        request: Any = self.app.current_request
        return LambdaResponse(request.raw_body.hex(), status_code=201)

    def _hold(self) -> LambdaResponse:
        self.held.wait(5)
        return LambdaResponse("done")


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
def gateway(program: Program) -> Iterator[Gateway]:
    made = Gateway(program.app, threads=2, patience=0.05)
    yield made
    program.held.set()
    made.stop()


def request(method: str, path: str, query: str = "", body: bytes = b"") -> Request:
    headers = (("host", "127.0.0.1"), ("content-type", "application/json"))
    return Request(method, path, query, headers, body, "10.1.2.3")


def test_an_event_has_all_that_a_handler_may_read(gateway: Gateway) -> None:
    response = gateway.answer(request("GET", "/v1/things/a%2Fb", "x=1&x=2&y="))
    told = json.loads(response.body)
    assert told["name"] == "a%2Fb"
    assert told["query"] == {"x": ["1", "2"], "y": [""]}
    assert told["address"] == "10.1.2.3"
    assert len(told["id"]) == 36
    assert [value for name, value in response.headers if name == "X-Several"] == ["1", "2"]


@pytest.mark.parametrize("body", [b'{"a": "\xc3\xa9"}', b"\xff\xfe\x00", b"\xef\xbb\xbf{}", b""])
def test_a_body_arrives_byte_for_byte(gateway: Gateway, body: bytes) -> None:
    assert gateway.answer(request("POST", "/v1/things", body=body)).body.decode() == body.hex()


def test_unknown_paths_and_methods_are_problems(gateway: Gateway) -> None:
    missing = gateway.answer(request("GET", "/v1/nothing"))
    assert (missing.status, json.loads(missing.body)["code"]) == (404, "not_found")
    refused = gateway.answer(request("DELETE", "/v1/things"))
    assert (refused.status, json.loads(refused.body)["code"]) == (405, "method_not_allowed")
    assert ("Allow", "POST, OPTIONS") in refused.headers
    assert ("Content-Type", "application/problem+json") in refused.headers


def test_a_preflight_says_what_may_be_sent(gateway: Gateway) -> None:
    response = gateway.answer(request("OPTIONS", "/v1/things"))
    told = dict(response.headers)
    assert response.status == 204
    assert told["Access-Control-Allow-Methods"] == "OPTIONS,POST"
    assert "Idempotency-Key" in told["Access-Control-Allow-Headers"]


def test_head_is_answered_as_get(gateway: Gateway) -> None:
    assert gateway.answer(request("HEAD", "/v1/things/x")).status == 200


def test_too_many_at_once_are_told_to_come_again(program: Program, gateway: Gateway) -> None:
    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(gateway.answer, request("GET", "/v1/held")) for _ in range(2)]
        response = _first_refusal(gateway)
        program.held.set()
        assert [each.result().status for each in held] == [200, 200]
    assert response.status == 503
    assert ("Retry-After", "1") in response.headers


def _first_refusal(gateway: Gateway) -> Response:
    while (response := gateway.answer(request("GET", "/v1/things/x"))).status == 200:
        pass
    return response


def test_each_thread_sees_its_own_request(gateway: Gateway) -> None:
    with ThreadPoolExecutor(2) as pool:
        paths = [f"/v1/things/{number}" for number in range(200)]
        asked = pool.map(lambda path: gateway.answer(request("GET", path)), paths)
        told = [json.loads(response.body) for response in asked]
    assert [each["name"] for each in told] == [str(number) for number in range(200)]
    assert all(each["same"] for each in told)


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("/v1/posts", Match("/v1/posts", {})),
        ("/v1/posts/", Match("/v1/posts", {})),
        ("/v1/posts/mine", Match("/v1/posts/mine", {})),
        ("/v1/posts/7", Match("/v1/posts/{post_id}", {"post_id": "7"})),
        ("/v1/posts/mine/likes", Match("/v1/posts/{post_id}/likes", {"post_id": "mine"})),
        ("/v1/posts//likes", None),
        ("//v1/posts", None),
        ("/", None),
    ],
)
def test_a_named_part_goes_before_a_place_holder(path: str, match: Match | None) -> None:
    routes = Routes(
        ["/v1/posts/{post_id}", "/v1/posts", "/v1/posts/mine", "/v1/posts/{post_id}/likes"]
    )
    assert routes.match(path) == match
