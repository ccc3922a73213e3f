"""Links and tree of the log: what makes a changed, lost or added entry show.

Each entry's hash covers the one before it, so a change breaks every link after it. The same entries are the
leaves of a Merkle tree (RFC 6962), whose root is what a checkpoint signs: who holds one can prove that an
entry was in the log, and that the log has only grown since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import orjson

GENESIS = bytes(32)
"""What the first entry is linked to."""

_LINK = b"allocator-audit-1\0"


def canonical(entry: Any) -> bytes:
    """Return the bytes of an entry: keys in order, no spaces, UTF-8."""
    return orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)


def link(previous: bytes, seq: int, body: bytes) -> bytes:
    """Return the hash that links an entry to the one before it."""
    return hashlib.sha256(_LINK + previous + seq.to_bytes(8, "big") + body).digest()


def links(previous: bytes, entries: Iterable[tuple[int, bytes, bytes]]) -> list[bytes]:
    """Return what each entry is to be linked by, given its number, its bytes and what links it; all at once.

    The same as :func:`link` of each and the one before, without a call each: a million are read in seconds.
    """
    made, sha256, prefix = [], hashlib.sha256, _LINK
    for seq, body, linked in entries:
        made.append(sha256(prefix + previous + seq.to_bytes(8, "big", signed=True) + body).digest())
        previous = linked
    return made


def leaf(linked: bytes) -> bytes:
    """Return the hash of a leaf of the tree; the leaf is the entry's link."""
    return hashlib.sha256(b"\0" + linked).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


def leaves(linked: Iterable[bytes]) -> list[bytes]:
    """Return the hashes of leaves, all at once."""
    sha256 = hashlib.sha256
    return [sha256(b"\0" + item).digest() for item in linked]


def parents(hashes: Sequence[bytes]) -> list[bytes]:
    """Return the nodes right above, all at once; one that is left over has none yet."""
    sha256 = hashlib.sha256
    pairs = zip(hashes[::2], hashes[1::2], strict=False)
    return [sha256(b"\1" + left + right).digest() for left, right in pairs]


Node = tuple[int, int]
"""Level and index: ``(0, n)`` is the leaf of entry ``n + 1``, ``(k, n)`` covers ``2**k`` of them."""

Nodes = Callable[[Node], bytes]
"""What gives the hash of a node that covers only entries which are there."""


def grown(size: int, new_leaf: bytes, nodes: Nodes) -> Iterator[tuple[Node, bytes]]:
    """Yield the nodes that one more leaf completes, in a tree that had *size* leaves."""
    level, index, hashed = 0, size, new_leaf
    yield (level, index), hashed
    while index % 2:
        hashed = node(nodes((level, index - 1)), hashed)
        level, index = level + 1, index // 2
        yield (level, index), hashed


def _covering(begin: int, end: int) -> Iterator[Node]:
    """Yield the largest whole nodes that cover leaves from *begin* up to *end*, from left to right."""
    while begin < end:
        level = (begin & -begin).bit_length() - 1 if begin else (end - begin).bit_length() - 1
        while begin + (1 << level) > end:
            level -= 1
        yield level, begin >> level
        begin += 1 << level


def _joined(parts: Iterable[bytes]) -> bytes:
    """Return the root over whole nodes: the smaller ones on the right are joined first."""
    *rest, hashed = parts
    for part in reversed(rest):
        hashed = node(part, hashed)
    return hashed


def root(size: int, nodes: Nodes) -> bytes:
    """Return the root of a tree with *size* leaves."""
    if size == 0:
        return hashlib.sha256(b"").digest()
    return _joined(nodes(place) for place in _covering(0, size))


def _subtree(begin: int, end: int, nodes: Nodes) -> bytes:
    return _joined(nodes(place) for place in _covering(begin, end))


def _split(size: int) -> int:
    """Return the largest power of two that is smaller than *size*."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """Return what proves that the leaf at *index* is in the tree of *size* leaves (RFC 6962, 2.1.1)."""
    return list(_path(index, 0, size, nodes))


def _path(index: int, begin: int, end: int, nodes: Nodes) -> Iterator[bytes]:
    if end - begin == 1:
        return
    middle = begin + _split(end - begin)
    if index < middle:
        yield from _path(index, begin, middle, nodes)
        yield _subtree(middle, end, nodes)
    else:
        yield from _path(index, middle, end, nodes)
        yield _subtree(begin, middle, nodes)


def included(leaf_hash: bytes, index: int, size: int, proof: list[bytes], root_hash: bytes) -> bool:
    """Return whether *proof* shows that the leaf is in the tree with that root."""
    if not 0 <= index < size:
        return False
    place, last, hashed, rest = index, size - 1, leaf_hash, list(proof)
    while last:
        if place % 2 or place < last:
            if not rest:
                return False
            sibling = rest.pop(0)
            hashed = node(sibling, hashed) if place % 2 else node(hashed, sibling)
        place, last = place // 2, last // 2
    return not rest and hashed == root_hash


def consistency_proof(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """Return what proves that the tree of *old* leaves is the beginning of the one of *new* (2.1.2)."""
    if not 0 < old <= new:
        raise ValueError("an older size of at least one and no larger than the newer")
    return list(_consistency(old, 0, new, nodes, whole=True))


def _consistency(old: int, begin: int, end: int, nodes: Nodes, *, whole: bool) -> Iterator[bytes]:
    if old == end - begin:
        if not whole:
            yield _subtree(begin, end, nodes)
        return
    middle = _split(end - begin)
    if old <= middle:
        yield from _consistency(old, begin, begin + middle, nodes, whole=whole)
        yield _subtree(begin + middle, end, nodes)
    else:
        yield from _consistency(old - middle, begin + middle, end, nodes, whole=False)
        yield _subtree(begin, begin + middle, nodes)


def consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: list[bytes]) -> bool:
    """Return whether *proof* shows that the newer tree begins with the older one."""
    if old == new:
        return not proof and old_root == new_root
    if not 0 < old < new:
        return False
    rest = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not rest:
        return False
    place, last = old - 1, new - 1
    while place % 2:
        place, last = place // 2, last // 2
    first = rest.pop(0)
    older = newer = first
    while last:
        if place % 2 or place == last:
            if not rest:
                return False
            sibling = rest.pop(0)
            older, newer = node(sibling, older), node(sibling, newer)
            while not place % 2 and place:
                place, last = place // 2, last // 2
        else:
            if not rest:
                return False
            newer = node(newer, rest.pop(0))
        place, last = place // 2, last // 2
    return not rest and older == old_root and newer == new_root
