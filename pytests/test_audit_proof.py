"""The verifier of docs/examples/audit against the definitions of RFC 9162.

DIGEST stands in tests/unit/test_audit_tree.c and in spec/audit_proof_spec.rb, too: the C library,
Python and Ruby each make all roots and proofs of all trees of up to 300 leaves, with code of their
own, and arrive at the same bytes.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIGEST = "a582741dce61c06f4c91bde55cb12cf03246ad39100d6b10328f41bfc040af54"
SIZE_MAX = 300

spec = importlib.util.spec_from_file_location(
    "verify_proof", ROOT / "docs/examples/audit/verify_proof.py"
)
assert spec is not None and spec.loader is not None
verifier = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verifier)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


@functools.lru_cache(maxsize=None)
def root(begin: int, end: int) -> bytes:
    """MTH of RFC 9162, 2.1.1, over leaves that are decimal numbers."""
    if end - begin == 1:
        return sha256(b"\x00", str(begin).encode())
    middle = begin + split(end - begin)
    return sha256(b"\x01", root(begin, middle), root(middle, end))


def split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def inclusion(index: int, begin: int, end: int) -> list[bytes]:
    """PATH of RFC 9162, 2.1.3.1."""
    if end - begin == 1:
        return []
    left = split(end - begin)
    middle = begin + left
    if index < left:
        return inclusion(index, begin, middle) + [root(middle, end)]
    return inclusion(index - left, middle, end) + [root(begin, middle)]


def consistency(old: int, begin: int, end: int, whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 9162, 2.1.4.1."""
    if old == end - begin:
        return [] if whole else [root(begin, end)]
    left = split(end - begin)
    middle = begin + left
    if old <= left:
        return consistency(old, begin, middle, whole) + [root(middle, end)]
    return consistency(old - left, middle, end, False) + [root(begin, middle)]


def test_all_proofs_of_all_sizes() -> None:
    digest = hashlib.sha256()
    for size in range(1, SIZE_MAX + 1):
        digest.update(root(0, size))
        for index in range(size):
            hashes = inclusion(index, 0, size)
            digest.update(b"".join(hashes))
            assert verifier.included(root(index, index + 1), index, size, hashes) == root(0, size)
        for old in range(1, size + 1):
            hashes = consistency(old, 0, size)
            digest.update(b"".join(hashes))
            expected = (root(0, old), root(0, size))
            assert verifier.continued(old, size, root(0, old), hashes) == expected
    assert digest.hexdigest() == DIGEST
