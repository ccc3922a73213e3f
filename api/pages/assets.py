"""What browsers fetch beside the pages: our own style and script, and the vendor files of ``allocator_web``.

Each is compressed once, and served under a name that changes with its content: browsers never ask twice.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import allocator_web
from fastapi import FastAPI, Request, Response
from markupsafe import Markup
from starlette.exceptions import HTTPException

PLACE = "/static"

FOR_EVER = "public, max-age=31536000, immutable"

_OWN = Path(__file__).parent / "static"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_COMPRESSIBLE = frozenset({".css", ".js", ".svg"})


class MissingAssetsError(RuntimeError):
    """The vendor files are not there."""


@dataclass(frozen=True)
class Asset:
    """A file for browsers."""

    name: str
    content: bytes
    compressed: bytes | None
    digest: str

    @property
    def url(self) -> str:
        """Where it is fetched."""
        return f"{PLACE}/{self.digest}/{self.name}"


@cache
def assets() -> dict[str, Asset]:
    """Return every file by its name.

    Raises:
        MissingAssetsError: The vendor files are not there.
    """
    if not (allocator_web.VENDOR / "versions.json").is_file():
        raise MissingAssetsError("the browser files are missing: run `make setup`, or `pip install ./web`")
    found: dict[str, Asset] = {}
    for place in (allocator_web.VENDOR, _OWN):
        for path in sorted(place.iterdir()):
            if path.suffix in _TYPES:
                found[path.name] = _asset(path.name, path.read_bytes())
    style = found["app.css"].content.decode()
    fonts = re.sub(r"\{\{ (\S+) \}\}", lambda name: found[name[1]].url, style)
    return found | {"app.css": _asset("app.css", fonts.encode())}


def _asset(name: str, content: bytes) -> Asset:
    compressed = gzip.compress(content, mtime=0) if Path(name).suffix in _COMPRESSIBLE else None
    return Asset(name, content, compressed, hashlib.sha256(content).hexdigest()[:12])


def url(name: str) -> str:
    """Return where a file is fetched."""
    return assets()[name].url


@cache
def icon(name: str, label: str | None = None) -> Markup:
    """Return one of Aksel's icons; without a label it says nothing to those who do not see it."""
    drawn = (allocator_web.VENDOR / "icons" / f"{name}.svg").read_text(encoding="utf-8").strip()
    told = (
        Markup('aria-hidden="true" focusable="false"')
        if label is None
        else Markup('role="img" aria-label="{}"').format(label)
    )
    return Markup(  # noqa: S704 - the drawing is a file of ours, and the label is escaped
        re.sub(r'width="1em" height="1em"', f'class="icon" {told}', drawn, count=1)
    )


def install(pages: FastAPI) -> None:
    """Serve the files."""

    def served(request: Request, digest: str, name: str) -> Response:
        asset = assets().get(name)
        if asset is None or asset.digest != digest:
            raise HTTPException(404)
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        packed = asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", "")
        if packed:
            headers["Content-Encoding"] = "gzip"
        content = asset.compressed if packed else asset.content
        return Response(content, headers=headers, media_type=_TYPES[Path(name).suffix])

    pages.add_api_route(f"{PLACE}/{{digest}}/{{name}}", served, methods=["GET", "HEAD"])
