"""The process of the AWS emulator `ministack`: from an environment of its own, on 127.0.0.1 only.

It checks signatures and upload policies, as AWS does. It keeps its state on a clean stop; after
a SIGKILL it has forgotten its queues and mails.
"""

import http.client
import json
import os
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from local import paths, processes
from local.processes import Process, ProcessError

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}

_START_SECONDS = 30
_REQUEST_SECONDS = 10


class Aws:
    """AWS at an endpoint that somebody else runs, or AWS itself."""

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use it, with SDKs and with our own client."""
        return {
            **own_credentials(),
            "AWS_ENDPOINT_URL": self.endpoint_url,
            # Nothing here is an EC2 machine, and asking takes seconds.
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> None:
        """Nothing: it runs."""

    def stop(self) -> None:
        """Nothing: it isn't ours to stop."""

    def __enter__(self) -> Self:
        """Itself, for `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()


class Emulator(Aws):
    """The emulator, run by us. Its process is `process`."""

    def __init__(self, home: Path, port: int | None) -> None:
        self._home = home.resolve()
        self._fixed_port = port
        self.log_path = self._home / "aws.log"
        self.process: Process | None = None
        super().__init__("")

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use it; the account's own keys stay out."""
        return {**super().environment, **CREDENTIALS}

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ProcessError: it isn't installed or doesn't start.
            PortTakenError: the port that was asked for is taken.
        """
        if self.process is not None and self.process.poll() is None:
            return
        port = self._choose_port()
        self.endpoint_url = f"http://127.0.0.1:{port}"
        self.process = processes.start(
            "the AWS emulator",
            [_python(), "-m", "ministack"],
            environment=self._settings(port),
            log_path=self.log_path,
            cwd=self._home,
        )
        try:
            processes.wait_until(
                lambda: _answers(self.endpoint_url),
                timeout=_START_SECONDS,
                what=f"the AWS emulator on port {port}",
                process=self.process,
            )
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it; it writes its state first."""
        if self.process is not None:
            self.process.stop()
            self.process = None

    def _choose_port(self) -> int:
        if self._fixed_port is not None:
            processes.require_free_port(self._fixed_port, variable="AWS_PORT")
            return self._fixed_port
        # Queues are known by their addresses, so the port is kept as long as it is free.
        stored = self._home / "port"
        port = int(stored.read_text()) if stored.exists() else 0
        if not port or processes.is_taken(port):
            port = processes.free_port()
            self._home.mkdir(parents=True, exist_ok=True)
            stored.write_text(f"{port}\n")
        return port

    def _settings(self, port: int) -> dict[str, str]:
        """The emulator's environment. What it listens on and what it writes stays with us."""
        folders = {"STATE_DIR": "state", "S3_DATA_DIR": "objects", "TMPDIR": "temporary"}
        for folder in folders.values():
            (self._home / folder).mkdir(parents=True, exist_ok=True)
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "PYTHON"))
        }
        return {
            **inherited,
            **{name: str(self._home / folder) for name, folder in folders.items()},
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "PERSIST_STATE": "1",
            "S3_PERSIST": "1",
            "LOG_LEVEL": "WARNING",
            # Listeners and neighbours that nobody asked for.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent",
        }


def own_credentials() -> dict[str, str]:
    """The keys in our environment, or those that every emulator takes."""
    return {name: os.environ.get(name, value) for name, value in CREDENTIALS.items()}


def _python() -> Path:
    python = paths.AWS_ENVIRONMENT / "bin" / "python"
    if not python.exists():
        raise ProcessError(
            "the AWS emulator is not installed: run python3 local/install.py --only cloud"
        )
    return python


def _answers(endpoint: str) -> bool:
    try:
        read(endpoint, "/_ministack/health")
    except ProcessError:
        return False
    return True


def read(endpoint: str, path: str) -> dict[str, Any]:
    """What the emulator says of itself, which needs no signature."""
    address = urlsplit(endpoint).netloc
    connection = http.client.HTTPConnection(address, timeout=_REQUEST_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise ProcessError(f"the AWS emulator at {endpoint} does not answer: {error}") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise ProcessError(
            f"{endpoint} is not the local AWS emulator ({path} answers {response.status}), "
            f"which alone shows mails and messages: unset AWS_ENDPOINT_URL"
        )
    answer: dict[str, Any] = json.loads(body)
    return answer
