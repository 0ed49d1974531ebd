"""Check a proof about a Stepwell audit log with nothing but Python: no Stepwell, no libraries.

    python3 verify_proof.py VKEY PROOF [OLD_CHECKPOINT]

VKEY is the verifier key, the others are files. Exit status 1 when the proof does not hold.
docs/reference/audit-format.md describes every byte that is read here.
"""

import hashlib
import sys
from base64 import b64decode

P = 2**255 - 19  # Ed25519 (RFC 8032): the field, the order of the base point, the curve
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def point(data):
    """The curve point that 32 bytes stand for."""
    y = int.from_bytes(data, "little") & (2**255 - 1)
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - x2) % P or (x == 0 and data[31] >> 7):
        raise ValueError("not a point of the curve")
    return (P - x if x & 1 != data[31] >> 7 else x), y


def plus(a, b):
    x, y, k = a[0] * b[1] + a[1] * b[0], a[1] * b[1] + a[0] * b[0], D * a[0] * b[0] * a[1] * b[1]
    return x * pow(1 + k, -1, P) % P, y * pow(1 - k, -1, P) % P


def times(number, a):
    total = (0, 1)
    while number:
        total = plus(total, a) if number & 1 else total
        a, number = plus(a, a), number >> 1
    return total


def signed(key, message, signature):
    """Whether an Ed25519 signature is good."""
    base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    return s < Q and times(s, base) == plus(point(signature[:32]), times(k, point(key)))


def checkpoint(note, vkey):
    """Name, size and root of a checkpoint that the key has signed."""
    name, key_id, key = vkey.strip().split("+", 2)
    key = b64decode(key, validate=True)
    text, signatures = note[: note.rindex("\n\n") + 1], note[note.rindex("\n\n") + 2 :]
    if sha256(name.encode(), b"\n", key)[:4].hex() != key_id or key[0] != 1:
        raise ValueError("not a verifier key")
    for line in signatures.splitlines():
        dash, signer, data = line.split(" ")
        data = b64decode(data, validate=True)
        if (dash, signer, data[:4].hex()) != ("\u2014", name, key_id):
            continue
        origin, size, root = text.split("\n")[:3]
        if origin == name and signed(key[1:], text.encode(), data[4:]):
            return name, int(size), b64decode(root, validate=True)
        raise ValueError("the signature is not good")
    raise ValueError("not signed by this key")


def included(leaf, index, size, hashes):
    """The root that a proof of inclusion leads to (RFC 9162, 2.1.3.2)."""
    last, value = size - 1, leaf
    for other in hashes:
        if last == 0:
            raise ValueError("too many hashes")
        if index & 1 or index == last:
            value = sha256(b"\x01", other, value)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            value = sha256(b"\x01", value, other)
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("too few hashes")
    return value


def continued(old, size, old_root, hashes):
    """Both roots that a proof of consistency leads to (RFC 9162, 2.1.4.2)."""
    if old == size and not hashes:
        return old_root, old_root
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = old_root if at == 0 else hashes[0]
    for other in hashes[1 if at else 0 :]:
        if last == 0:
            raise ValueError("too many hashes")
        if at & 1 or at == last:
            before, after = sha256(b"\x01", other, before), sha256(b"\x01", other, after)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            after = sha256(b"\x01", after, other)
        at, last = at >> 1, last >> 1
    if last:
        raise ValueError("too few hashes")
    return before, after


def check(vkey, proof, old_note=None):
    """What the proof shows, in words; ValueError when it does not hold."""
    head, note = proof.split("\n\n", 1)
    lines = head.split("\n")
    name, size, root = checkpoint(note, vkey)
    if lines[0] == "c2sp.org/tlog-proof@v1":
        entry = b64decode(lines[1].removeprefix("extra "), validate=True)
        index, hashes = int(lines[2].removeprefix("index ")), lines[3:]
        hashes = [b64decode(line, validate=True) for line in hashes]
        if not 0 <= index < size or included(sha256(b"\x00", entry), index, size, hashes) != root:
            raise ValueError("the hashes do not lead to the checkpoint")
        return f"entry {index + 1} is one of the {size} of {name}"
    old_name, old, old_root = checkpoint(old_note or "\n\n", vkey)
    hashes = [b64decode(line, validate=True) for line in lines[1:]]
    if lines[0] != f"old {old}" or not 0 < old <= size:
        raise ValueError("the proof is about another checkpoint")
    if continued(old, size, old_root, hashes) != (old_root, root):
        raise ValueError("the hashes do not lead from one checkpoint to the other")
    return f"the {size} entries of {name} begin with the {old} of the older checkpoint"


if __name__ == "__main__":
    try:
        files = [open(path, encoding="utf-8", newline="").read() for path in sys.argv[2:]]
        print("OK ", check(sys.argv[1], *files))
    except (ValueError, IndexError) as error:
        sys.exit(f"the proof does not hold: {error}")
