"""A C2SP tlog-witness for tests, in memory, for one log. Prints its port and its verifier key.

    python3 witness.py LOG_VKEY honest|lie|deaf

"lie" answers with a signature of something else, "deaf" with a server error. It shares no code with
the library: signatures and proofs are those of docs/examples/audit/verify_proof.py.
"""

import hashlib
import http.server
import pathlib
import sys
import time
from base64 import b64decode, b64encode

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "docs/examples/audit"))
import verify_proof as v

NAME = "witness.example/w1"
SEED = hashlib.sha256(b"a witness for tests").digest()


def packed(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def sign(message):
    """Ed25519 (RFC 8032, 5.1.6)."""
    digest = hashlib.sha512(SEED).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
    base = v.point((4 * pow(5, -1, v.P) % v.P).to_bytes(32, "little"))
    key = packed(v.times(scalar, base))
    r = int.from_bytes(hashlib.sha512(digest[32:] + message).digest(), "little") % v.Q
    point = packed(v.times(r, base))
    k = int.from_bytes(hashlib.sha512(point + key + message).digest(), "little") % v.Q
    return key, point + ((r + k * scalar) % v.Q).to_bytes(32, "little")


KEY = b"\x04" + sign(b"")[0]
KEY_ID = hashlib.sha256(NAME.encode() + b"\n" + KEY).digest()[:4]


class Witness(http.server.BaseHTTPRequestHandler):
    size, root, note = 0, b"", ""

    def log_message(self, *_):
        pass

    def answer(self, status, text=""):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        origin = sys.argv[1].split("+")[0]
        if self.path != f"/w1/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint":
            return self.answer(404)
        return self.answer(200, Witness.note) if Witness.note else self.answer(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if sys.argv[2] == "deaf":
            return self.answer(500)
        head, note = body.split("\n\n", 1)
        lines = head.split("\n")
        try:
            _, size, root = v.checkpoint(note, sys.argv[1])
        except ValueError:
            return self.answer(403)
        old = int(lines[0].removeprefix("old "))
        if old != Witness.size:
            return self.answer(409, f"{Witness.size}\n")
        hashes = [b64decode(line, validate=True) for line in lines[1:]]
        try:
            good = not hashes if old == 0 else v.continued(old, size, Witness.root, hashes) == (Witness.root, root)
        except ValueError:
            good = False
        if not good:
            return self.answer(422)
        text = note[: note.rindex("\n\n") + 1]
        now = int(time.time())
        message = f"cosignature/v1\ntime {now}\n{text}"
        _, signature = sign((message + "x" * (sys.argv[2] == "lie")).encode())
        line = f"\u2014 {NAME} {b64encode(KEY_ID + now.to_bytes(8, 'big') + signature).decode()}\n"
        Witness.size, Witness.root, Witness.note = size, root, note + line
        return self.answer(200, line)


server = http.server.HTTPServer(("127.0.0.1", 0), Witness)
print(server.server_port, f"{NAME}+{KEY_ID.hex()}+{b64encode(KEY).decode()}", flush=True)
server.serve_forever()
