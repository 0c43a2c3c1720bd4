"""A store that speaks S3's protocol on this computer, for tests: moto's, with what goes over the wire in sight."""

from __future__ import annotations

import os
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import fsspec
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

BUCKET = "team"
_DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


class _Handler(MotoRequestHandler):
    def send_response(self, code: int, message: str | None = None) -> None:
        """Without the header that names the server, which moto sends itself: aiohttp refuses a response with two."""
        self.send_response_only(code, message)
        self.send_header("Date", self.date_time_string())

    def log(self, *_: Any) -> None:
        """Tests look at `S3.requests` instead."""


class S3:
    """The running store. `requests` are ("GET", "/team/lib?prefix=…"); while `deny` holds for one, it is refused."""

    def __init__(self, server: Callable[[Any], BaseWSGIServer]) -> None:
        self.requests: list[tuple[str, str]] = []
        self.deny: Callable[[str, str], bool] = lambda method, path: False
        self._app = DomainDispatcherApplication(create_backend_app)
        self.server = server(self._answer)
        self.endpoint = f"http://127.0.0.1:{self.server.port}"

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """What the bucket holds, by key."""
        fs = fsspec.filesystem("s3")
        fs.invalidate_cache()
        return {path.removeprefix(f"{BUCKET}/"): fs.cat_file(path) for path in fs.find(f"{BUCKET}/{prefix}")}

    def require_known_keys(self, required: bool) -> None:
        """Whether requests are refused that are signed with a key which the store does not know."""
        body = b"0" if required else b"inf"
        headers = {"Content-Type": "text/plain"}
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/moto-api/reset-auth", body, headers)).close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        query = environ.get("QUERY_STRING", "")
        self.requests.append((method, f"{path}?{query}" if query else path))
        if self.deny(method, path):
            headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(_DENIED)))]
            start_response("403 Forbidden", headers)
            return [_DENIED]
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer


@contextmanager
def serving() -> Iterator[S3]:
    """A store with an empty bucket, which s3fs finds by its environment variables as a user's would."""
    with pytest.MonkeyPatch.context() as patch:
        store = S3(lambda app: make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Handler))
        thread = threading.Thread(target=store.server.serve_forever, name="s3")
        thread.start()
        variables = {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_ENDPOINT_URL": store.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_CONFIG_FILE": os.devnull,
            "NO_PROXY": "*",
        }
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        forget()
        try:
            fsspec.filesystem("s3").mkdir(BUCKET)
            yield store
        finally:
            forget()
            store.server.shutdown()
            thread.join()
            store.server.server_close()


def forget() -> None:
    """Let drivers read the environment anew."""
    fsspec.get_filesystem_class("s3").clear_instance_cache()
