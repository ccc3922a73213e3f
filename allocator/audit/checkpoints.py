"""Signed checkpoints of the log, kept where whoever owns the database cannot change them.

A hash chain shows what was changed by somebody who cannot work it out anew; who owns the database can. So the
root of the tree is signed from time to time (Ed25519) and kept elsewhere, as a *signed note* in the form of
C2SP tlog-checkpoint: origin, number of entries, root; then the signature. The log has an entry for each, so
that one that is taken away is missed too. What is younger than the newest checkpoint is not protected yet.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import orjson
import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, text

from allocator.audit import chain
from allocator.ports import BusyError, Clock, Logged
from allocator.store.repository import SqlStorage, SqlTransaction

EVERY_ENTRIES = 1000
EVERY = timedelta(minutes=15)

UNSIGNED = (
    "without signed checkpoints kept elsewhere, whoever administers the database can rewrite history unseen: "
    "make a key with `allocator audit keygen`, and set ALLOCATOR_CHECKPOINT_KEY and ALLOCATOR_CHECKPOINTS"
)
"""What is said as long as there is no key."""

_ED25519 = b"\x01"
_DASH = "— "
_PRIVATE = "PRIVATE+KEY+"
_SUFFIX = ".checkpoint"

_log = structlog.get_logger("allocator.checkpoints")


class KeyFileError(Exception):
    """A file that holds no key, or is open to others."""


@dataclass(frozen=True)
class Checkpoint:
    """That the log had so many entries with that root.

    Attributes:
        origin: Which log.
        size: How many entries.
        root: Root of the tree over them.
        at: When it was made.
    """

    origin: str
    size: int
    root: bytes
    at: datetime

    @property
    def text(self) -> str:
        """What is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\nat {self.at.isoformat()}\n"

    @classmethod
    def of(cls, text: str) -> Self:
        """Return what a text says.

        Raises:
            ValueError: It is not a checkpoint, or not written the one way it is written.
        """
        origin, size, root, at, *rest = text.split("\n")
        read = cls(
            origin,
            int(size),
            base64.b64decode(root, validate=True),
            datetime.fromisoformat(at.removeprefix("at ")),
        )
        if rest != [""] or read.text != text:
            raise ValueError("not a checkpoint")
        return read


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(f"{name}\n".encode() + _ED25519 + public).digest()[:4]


@dataclass(frozen=True)
class Verifier:
    """Who knows a checkpoint that was signed with the key.

    Attributes:
        name: Name of the key; the origin of its checkpoints.
        public: The public key.
    """

    name: str
    public: bytes

    @property
    def text(self) -> str:
        """The public key as it is written down: it may be shown to anyone."""
        key = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{_key_id(self.name, self.public).hex()}+{key}"

    def opened(self, note: bytes) -> Checkpoint | None:
        """Return the checkpoint in a note; None if it is none, or not signed with the key."""
        try:
            said, signatures = note.decode().split("\n\n")
            checkpoint = Checkpoint.of(f"{said}\n")
            key = Ed25519PublicKey.from_public_bytes(self.public)
            for line in signatures.removesuffix("\n").split("\n"):
                name, _, written = line.removeprefix(_DASH).partition(" ")
                signature = base64.b64decode(written, validate=True)
                if line.startswith(_DASH) and (name, signature[:4]) == (self.name, self._id):
                    key.verify(signature[4:], checkpoint.text.encode())
                    return checkpoint if checkpoint.origin == self.name else None
        except (ValueError, InvalidSignature):
            return None
        return None

    @property
    def _id(self) -> bytes:
        return _key_id(self.name, self.public)


@dataclass(frozen=True)
class Signer:
    """Who signs checkpoints.

    Attributes:
        name: Name of the key.
        seed: The secret.
    """

    name: str
    seed: bytes

    @property
    def verifier(self) -> Verifier:
        """Who knows what this one has signed."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return Verifier(self.name, public.public_bytes_raw())

    @property
    def text(self) -> str:
        """The secret key as it is written down."""
        identifier = _key_id(self.name, self.verifier.public).hex()
        return f"{_PRIVATE}{self.name}+{identifier}+{base64.b64encode(_ED25519 + self.seed).decode()}"

    def signed(self, checkpoint: Checkpoint) -> bytes:
        """Return the signed note of a checkpoint."""
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(checkpoint.text.encode())
        written = base64.b64encode(_key_id(self.name, self.verifier.public) + signature).decode()
        return f"{checkpoint.text}\n{_DASH}{self.name} {written}\n".encode()


# --------------------------------------------------------------------------------------------------- keys


def make_key(path: Path, name: str) -> Signer:
    """Make a key and write it to a new file that only its owner can read, and the public one beside it.

    Raises:
        KeyFileError: The name cannot be one, or there is a file already.
    """
    if not name or "+" in name or any(c.isspace() for c in name):
        raise KeyFileError("a name without spaces or +, such as arendal.kommune.no/allocator")
    signer = Signer(name, secrets.token_bytes(32))
    try:
        _write_new(path, f"{signer.text}\n".encode(), 0o600)
        _write_new(path.with_name(f"{path.name}.pub"), f"{signer.verifier.text}\n".encode(), 0o644)
    except FileExistsError:
        raise KeyFileError("there is a file already; a key is never overwritten") from None
    return signer


def read_signer(path: Path) -> Signer:
    """Return the key in a file.

    Raises:
        KeyFileError: It is not one, or others can read it.
    """
    content = _content(path)
    if path.stat().st_mode & 0o077:
        raise KeyFileError(f"others can read the key; run `chmod 600 {path}`")
    if not content.startswith(_PRIVATE):
        raise KeyFileError("not a secret key; make one with `allocator audit keygen`")
    name, raw = _parts(content.removeprefix(_PRIVATE))
    return Signer(name, raw)


def read_verifier(path: Path) -> Verifier:
    """Return the public key in a file, or that of the secret key in it.

    Raises:
        KeyFileError: It is not one.
    """
    content = _content(path)
    if content.startswith(_PRIVATE):
        return read_signer(path).verifier
    return Verifier(*_parts(content))


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise KeyFileError("the key file cannot be read") from None


def _parts(written: str) -> tuple[str, bytes]:
    try:
        name, _, key = written.split("+", 2)
        raw = base64.b64decode(key, validate=True)
    except (ValueError, binascii.Error):
        raise KeyFileError("not a key") from None
    if raw[:1] != _ED25519 or len(raw) != 33:  # noqa: PLR2004 - a byte for the kind, and the key
        raise KeyFileError("not an Ed25519 key")
    return name, raw[1:]


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there yet, whole and on the disk, or not at all."""
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(half, path)  # fails if there is one, where a rename would overwrite it
    finally:
        half.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


# ------------------------------------------------------------------------------------------------ keeping


@dataclass(frozen=True)
class Kept:
    """Checkpoints in a directory, one file each, never overwritten.

    Attributes:
        place: The directory: on another disk, or one that is copied elsewhere.
        verifier: Who knows which are ours.
    """

    place: Path
    verifier: Verifier

    def names(self) -> frozenset[str]:
        """Return the files that there are."""
        return frozenset(path.name for path in self.place.glob(f"*{_SUFFIX}"))

    def read(self) -> Iterator[tuple[str, Checkpoint | None]]:
        """Yield every checkpoint by its file, the oldest first; None for a file that is not one of ours."""
        for path in sorted(self.place.glob(f"*{_SUFFIX}")):
            checkpoint = self.verifier.opened(path.read_bytes())
            named = checkpoint is not None and path.name == _file(checkpoint.size)
            yield path.name, checkpoint if named else None

    def newest(self) -> Checkpoint | None:
        """Return the one of most entries."""
        for path in sorted(self.place.glob(f"*{_SUFFIX}"), reverse=True):
            checkpoint = self.verifier.opened(path.read_bytes())
            if checkpoint is not None:
                return checkpoint
        return None


def _file(size: int) -> str:
    return f"{size:020}{_SUFFIX}"


def make(storage: SqlStorage, signer: Signer, place: Path, clock: Clock) -> Checkpoint | None:
    """Sign where the log stands, keep it, and log that; None if nothing new stands in the log.

    Raises:
        BusyError: The database could not be reached.
        OSError: It could not be kept.
    """
    kept = Kept(place, signer.verifier)
    last = kept.newest()
    with storage.connections.read() as connection:
        tx = SqlTransaction(connection, writes=False)
        size = tx.head().size
        if not _news(connection, last, size):
            return None
        checkpoint = Checkpoint(signer.name, size, chain.root(size, tx.node), clock.now())
    note = signer.signed(checkpoint)
    try:
        _write_new(place / _file(size), note, 0o444)
    except FileExistsError:
        return kept.verifier.opened((place / _file(size)).read_bytes())
    _log.info("checkpoint", origin=signer.name, size=size, root=checkpoint.root.hex(), note=note.decode())
    entry = {
        "at": checkpoint.at.isoformat(),
        "by": "system",
        "use": "checkpoint",
        "outcome": "made",
        "size": size,
        "root": checkpoint.root.hex(),
    }
    with storage.write() as writing:
        writing.append([Logged(entry)], facts=False)
    return checkpoint


def _news(connection: Connection, last: Checkpoint | None, size: int) -> bool:
    """Return whether the log has more than the newest checkpoint covers and the entry about it."""
    if last is None or size != last.size + 1:
        return size > (0 if last is None else last.size)
    body = connection.execute(text("select body from log where seq = :seq"), {"seq": size}).scalar_one()
    return bool(orjson.loads(bytes(body)).get("use") != "checkpoint")


class Keeper:
    """Makes checkpoints while the server runs, in a thread of its own.

    Args:
        storage: The records.
        signer: Who signs.
        place: Where they are kept.
        clock: What time it is.
        entries: One after so many entries,
        every: or after so long, if there is anything new.
    """

    def __init__(
        self,
        storage: SqlStorage,
        signer: Signer,
        place: Path,
        clock: Clock,
        *,
        entries: int = EVERY_ENTRIES,
        every: timedelta = EVERY,
    ) -> None:
        self._storage, self._signer, self._place, self._clock = storage, signer, place, clock
        self._entries, self._every = entries, every
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._last = Kept(place, signer.verifier).newest()
        self._nothing_new = 0

    def tick(self) -> Checkpoint | None:
        """Make a checkpoint if one is due."""
        with self._storage.read() as tx:
            size = tx.head().size
        last = self._last
        due = last is None or self._clock.now() - last.at >= self._every or size - last.size >= self._entries
        if not due or size == self._nothing_new:
            return None
        made = make(self._storage, self._signer, self._place, self._clock)
        self._last = made or last
        self._nothing_new = 0 if made else size
        return made

    def start(self, seconds: float = 5) -> None:
        """Begin to look every so often whether one is due."""

        def run() -> None:
            while not self._stopped.wait(seconds):
                try:
                    self.tick()
                except (BusyError, OSError) as error:
                    _log.warning("checkpoint-failed", error=type(error).__name__)

        self._thread = threading.Thread(target=run, name="checkpoints", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Make a last one, and stop."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(10)
        with contextlib.suppress(BusyError, OSError):
            make(self._storage, self._signer, self._place, self._clock)
