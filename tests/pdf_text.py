"""What stands in a PDF that typst has written: its text, and what it says of itself.

Enough of the format to read such files, and no more: plain objects, one content stream a page, and fonts
whose glyphs are named in a table.
"""

from __future__ import annotations

import re
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj\b(.*)", re.DOTALL)
_REF = rb"(\d+) 0 R"
_PIECE = re.compile(rb"/(f\d+) [\d.]+ Tf|\((?:[^()\\]|\\.)*\)|\bET\b", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of(pdf: bytes) -> str:
    """Return the text of all pages; lines are joined by a space."""
    objects = _objects(pdf)
    pages = [body for body in objects.values() if re.search(rb"/Type/Page\b", body)]
    return " ".join(_page(objects, page) for page in pages)


def metadata_of(pdf: bytes) -> str:
    """Return the description of the file."""
    found = re.search(rb"<x:xmpmeta.*?</x:xmpmeta>", pdf, re.DOTALL)
    assert found is not None
    return found[0].decode()


def _objects(pdf: bytes) -> dict[int, bytes]:
    start = int(pdf[pdf.rindex(b"startxref") :].split()[1])
    places = sorted(int(entry[:10]) for entry in re.findall(rb"\d{10} \d{5} n", pdf[start:]))
    found = {}
    for begin, end in zip(places, [*places[1:], start], strict=True):
        match = _OBJECT.match(pdf[begin:end])
        assert match is not None
        found[int(match[1])] = match[2]
    return found


def _stream(body: bytes) -> bytes:
    raw = body.partition(b"stream")[2].lstrip(b"\r").removeprefix(b"\n")
    return zlib.decompressobj().decompress(raw) if b"FlateDecode" in body.partition(b"stream")[0] else raw


def _page(objects: dict[int, bytes], page: bytes) -> str:
    resources = _value(objects, page, rb"/Resources")
    fonts = _value(objects, resources, rb"/Font")
    tables = {
        name.decode(): _glyphs(objects, objects[int(number)])
        for name, number in re.findall(rb"/(f\d+) " + _REF, fonts)
    }
    contents = re.search(rb"/Contents " + _REF, page)
    assert contents is not None
    return _written(_stream(objects[int(contents[1])]), tables)


def _value(objects: dict[int, bytes], body: bytes, name: bytes) -> bytes:
    """Return what follows a name: another object, or the rest of this one."""
    ref = re.search(name + rb" " + _REF, body)
    return objects[int(ref[1])] if ref is not None else body.partition(name)[2]


def _glyphs(objects: dict[int, bytes], font: bytes) -> dict[int, str]:
    ref = re.search(rb"/ToUnicode " + _REF, font)
    assert ref is not None
    table = _stream(objects[int(ref[1])])
    return {
        int(glyph, 16): bytes.fromhex(said.decode()).decode("utf-16-be")
        for glyph, said in re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>", table)
    }


def _written(content: bytes, tables: dict[str, dict[int, str]]) -> str:
    said: list[str] = []
    glyphs: dict[int, str] = {}
    for piece in _PIECE.finditer(content):
        if piece[1] is not None:
            glyphs = tables[piece[1].decode()]
        elif piece[0] == b"ET":
            said.append(" ")
        else:
            raw = _plain(piece[0][1:-1])
            numbers = (raw[place] << 8 | raw[place + 1] for place in range(0, len(raw) - 1, 2))
            said += [glyphs.get(number, "") for number in numbers]
    return re.sub(r"\s+", " ", "".join(said)).strip()


def _plain(raw: bytes) -> bytes:
    def one(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8) & 255]) if code[:1].isdigit() else _ESCAPES.get(code, code)

    return re.sub(rb"\\([0-7]{1,3}|.)", one, raw, flags=re.DOTALL)
