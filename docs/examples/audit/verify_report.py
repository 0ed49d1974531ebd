"""Check every line of a Stepwell control report against an export of the log: no Stepwell, no
libraries, nothing but Python and verify_proof.py beside this file.

    python3 verify_report.py VKEY REPORT.json FOLDER [SIGNATURE]

VKEY is the verifier key of the log, or several, one in each line: those of witnesses, of keys that
came later, of who signed the report. FOLDER is what `stepwell audit export` wrote, of the report's
checkpoint or a later one. Exit status 1 when a line does not hold. What places outside say of times
is repeated, not proved. docs/reference/controls.md has the rules, docs/reference/audit-format.md
the bytes.
"""

import datetime
import json
import pathlib
import sys
import uuid
from base64 import b64decode, b64encode

from verify_proof import included, sha256, signed

KINDS = (
    "? workflow_registered task_submitted task_changed step_changed step_fenced worker_opened "
    "worker_closed worker_lost task_pruned breaker_changed task_erased event"
).split()
STEP = "pending ready running waiting succeeded failed skipped cancelled resolved".split()
TASK = "pending running paused succeeded failed cancelled resolved".split()
STATES = {3: TASK, 4: STEP, 5: STEP, 9: TASK, 11: TASK}
EVIDENCE = {  # kind: what is answered when there is no such entry
    **dict.fromkeys("integrity anchored clock events payloads removals year six_years".split(), 0),
    **dict.fromkeys("keys requests operators workers failures anomalies".split(), 1),
    **dict.fromkeys("definitions pinned erasures".split(), 1),
}
MISSING, NONE, FOUND = "not_found", "not_applicable", "found"
DAYS = {"year": 365, "six_years": 2192}
NUMBERS = "entry_no time_us from to attempt epoch step_id worker_id".split()


def refuse(unless, why):
    if not unless:
        raise ValueError(why)


def unbase64(text):
    """Bytes of the one text that stands for them."""
    data = b64decode(text, validate=True)
    refuse(b64encode(data).decode() == text, "base64 that is not in its one form")
    return data


def decoded(data):
    """The fields of an entry."""
    at = 2

    def number():
        nonlocal at
        value = shift = 0
        while True:
            value |= (data[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] >> 7:
                return value

    def string():
        nonlocal at
        size = number()
        at += max(size - 1, 0)
        return data[at - size + 1 : at] if size else None

    refuse(data[0] == 1 and data[1] < len(KINDS), "an entry of an unknown version or kind")
    entry = {"kind": data[1], **{name: number() for name in NUMBERS}}
    entry["task_id"], at = data[at : at + 16], at + 16
    entry.update({name: string() for name in "step actor reason subject digest".split()})
    refuse(at == len(data), "an entry does not end where it should")
    return entry


def shown(entry):
    """An entry as the report shows it."""
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=entry["time_us"])
    row = {name: entry[name] or None for name in NUMBERS if name != "time_us"}
    states = STATES.get(entry["kind"])
    row.update({end: states[entry[end]] if states else None for end in ("from", "to")})
    texts = {name: entry[name] for name in ("step", "actor", "reason", "subject")}
    row.update({k: None if v is None else v.decode() for k, v in texts.items()})
    row.update(time=moment.isoformat(timespec="microseconds") + "Z", kind=KINDS[entry["kind"]])
    row["task_id"] = str(uuid.UUID(bytes=entry["task_id"])) if any(entry["task_id"]) else None
    row["digest"] = entry["digest"] and entry["digest"].hex()
    return row


def opened(note, vkeys):
    """The text of a signed note, and when the newest witness saw it; 0 for none."""
    text, lines, logs, seen = note[: note.rindex("\n\n") + 1], note.split("\n\n")[-1], 0, 0
    for name, key_id, key in (vkey.split("+", 2) for vkey in vkeys):
        key = unbase64(key)
        refuse(sha256(name.encode(), b"\n", key)[:4].hex() == key_id, "not a verifier key")
        for line in lines.splitlines():
            _, signer, data = line.split(" ")
            data = unbase64(data)
            if (signer, data[:4].hex()) != (name, key_id):
                continue
            when, message = 0, text.encode()
            if key[0] == 4:
                when = int.from_bytes(data[4:12], "big")
                message = f"cosignature/v1\ntime {when}\n".encode() + message
            refuse(signed(key[1:], message, data[-64:]), "a signature is not good")
            logs, seen = logs + (key[0] == 1), max(seen, when)
    refuse(logs, "a note is not signed by the keys given")
    return text, seen


def bundles(folder):
    """The bytes of all entries of an export."""
    size = int((folder / "checkpoint").read_text("utf-8").split("\n")[1])
    for number in range((size + 255) // 256):
        digits = f"{number:0{-(-len(str(number)) // 3) * 3}}"
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        path = folder / "tile/entries" / "/".join(["x" + g for g in groups[:-1]] + groups[-1:])
        width = min(256, size - 256 * number)
        data = (path if width == 256 else path.with_name(f"{path.name}.p") / str(width)).read_bytes()
        while data:
            length = int.from_bytes(data[:2], "big")
            yield data[2 : 2 + length]
            data = data[2 + length :]


def read(folder, sizes):
    """Entries up to the largest of sizes, and the root of each size."""
    entries, roots, stack = [], {}, []  # stack: roots of complete subtrees, the largest first
    for data in bundles(folder):
        if len(entries) == max(sizes):
            break
        entries.append((data, decoded(data)))
        node, level = sha256(b"\0", data), len(entries)
        while not level & 1:
            node, level = sha256(b"\1", stack.pop(), node), level >> 1
        stack.append(node)
        if len(entries) in sizes:
            root = stack[-1]
            for left in reversed(stack[:-1]):
                root = sha256(b"\1", left, root)
            roots[len(entries)] = root
    return entries, roots


def judged(entries, window, notes):
    """For each kind of evidence the numbers of entries for it and against it."""
    sides = {kind: ([], []) for kind in EVIDENCE}
    since, until = window["since_us"] or 0, window["until_us"] or 1 << 63
    anchored = max((note["entries"] for note in notes if note["anchored"]), default=0)
    definitions, count, began, ended = set(), 0, entries[0]["time_us"], 0

    def put(kind, good=True):
        sides[kind][not good].append(number)

    for number, entry in enumerate(entries, 1):
        kind, when = KINDS[entry["kind"]], entry["time_us"]
        here = [note for note in notes if note["entries"] == number]
        times = [note["time_us"] for note in here if note["time_us"]]
        put("integrity")
        if times:
            put("clock", all(when // 10**6 <= time // 10**6 for time in times))
        if any(note["successor"] for note in here):
            put("keys")
        if kind == "workflow_registered" and entry["digest"]:
            definitions.add(entry["digest"].hex().encode())
        if when >= until:
            continue
        ended = when
        put("year")
        put("six_years")
        if when < since:
            continue
        count += 1
        put("anchored", number <= anchored)
        if kind == "workflow_registered":
            put("definitions", bool(entry["digest"]))
        if kind == "task_submitted":
            put("requests", bool(entry["actor"]))
            put("pinned", entry["subject"] in definitions)
        if kind in ("task_changed", "step_changed"):
            put("events")
        if kind in ("task_changed", "step_changed", "task_pruned", "task_erased", "breaker_changed"):
            if entry["actor"]:
                put("operators", bool(entry["reason"]))
        step = kind == "step_changed"
        if step and entry["to"] == STEP.index("running"):
            put("workers", entry["worker_id"] > 0)
        failed = STEP.index("failed") if step else TASK.index("failed")
        if step and (entry["to"] == failed or entry["subject"]):
            put("failures")
        if kind == "task_changed" and entry["to"] == failed:
            put("failures")
        if kind in ("step_changed", "task_submitted") and entry["digest"]:
            put("payloads")
        if kind in ("step_fenced", "worker_lost", "breaker_changed"):
            put("anomalies")
        if kind in ("task_pruned", "task_erased"):
            put("removals")
        if kind == "task_erased":
            put("erasures", bool(entry["actor"] and entry["reason"]))
    return sides, count, ended - began


def sample(numbers):
    return numbers if len(numbers) <= 5 else numbers[:3] + numbers[-2:]


def check_evidence(report, entries):
    """The rows of the report's evidence by kind, each as the entries give it."""
    sides, count, kept = judged(entries, report["window"], report["checkpoints"])
    refuse(report["window"]["entries"] == count, "the window has another number of entries")
    refuse(sorted(row["evidence"] for row in report["evidence"]) == sorted(EVIDENCE),
           "evidence is missing")
    for row in report["evidence"]:
        kind = row["evidence"]
        good, bad = sides[kind]
        answer = MISSING if bad else FOUND if good else (MISSING, NONE)[EVIDENCE[kind]]
        if kind in DAYS and kept < DAYS[kind] * 86400 * 10**6:
            answer = MISSING
        expected = answer, len(good), sample(good), len(bad), sample(bad)
        keys = "answer count entries against_count against".split()
        refuse(tuple(row[key] for key in keys) == expected, f"the evidence '{kind}' does not hold")
    return {row["evidence"]: row for row in report["evidence"]}


def check_controls(report, rows):
    refuse(report["controls"], "there are no controls")
    for control in report["controls"]:
        asked = [rows[kind] for kind in control["evidence"]]
        answers = {row["answer"] for row in asked}
        answer = MISSING if MISSING in answers else FOUND if FOUND in answers else NONE
        numbers = sorted({n for row in asked for n in row["entries"] + row["against"]})
        refuse((control["answer"], control["entries"]) == (answer, numbers),
               f"the control {control['control']} does not hold")


def check_proofs(report, rows, entries, root):
    wanted = {n for row in rows.values() for n in row["entries"] + row["against"]}
    refuse([p["entry"]["entry_no"] for p in report["proofs"]] == sorted(wanted),
           "proofs are missing, or there are too many")
    for proof in report["proofs"]:
        head, note = proof["proof"].split("\n\n", 1)
        first, extra, index, *hashes = head.split("\n")
        number = proof["entry"]["entry_no"]
        data, entry = entries[number - 1]
        hashes = [unbase64(line) for line in hashes]
        good = (first, note) == ("c2sp.org/tlog-proof@v1", report["log"]["checkpoint"])
        good = good and unbase64(extra[6:]) == data
        good = good and index == f"index {number - 1}" and proof["entry"] == shown(entry)
        refuse(good and included(sha256(b"\0", data), number - 1, len(entries), hashes) == root,
               f"the proof of entry {number} does not hold")


def check(vkeys, text, folder, signature=None):
    """What holds, in words; ValueError when something does not."""
    report = json.loads(text)
    log, notes = report["log"], report["checkpoints"]
    vkeys = [vkey for vkey in vkeys.split("\n") if vkey]
    refuse(report["report"] == "stepwell control report 1", "another kind of report")
    if signature is not None:
        said = f"stepwell control report\nsha256 {sha256(text.encode()).hex()}\n"
        refuse(opened(signature, vkeys)[0] == said, "the signature is of another report")
    entries, roots = read(folder, {note["entries"] for note in notes})
    size = len(entries)
    refuse(size == log["entries"] == max(note["entries"] for note in notes),
           "the export has not as many entries")
    for note in notes:
        said, seen = opened(note["checkpoint"], vkeys)
        lines, seen = said.split("\n"), seen * 10**6
        root = unbase64(lines[2])
        refuse(lines[:2] == [log["origin"], str(note["entries"])] and root == roots[note["entries"]],
               "the export is not that of a checkpoint")
        refuse(note["successor"] == any(line.startswith("successor ") for line in lines[3:]) and
               note["anchored"] == bool(note["place"] or seen) and
               (note["time_us"] or 0) >= seen and (note["place"] or (note["time_us"] or 0) == seen),
               "a checkpoint is not what the report says")
    level = "anchored" if any(note["anchored"] for note in notes) else "signed"
    fields = [entry for _, entry in entries]
    refuse([entry["entry_no"] for entry in fields] == list(range(1, size + 1)) and
           all(a["time_us"] <= b["time_us"] for a, b in zip(fields, fields[1:])),
           "the entries are not in their order")
    told = roots[size].hex(), level, fields[0]["time_us"], fields[-1]["time_us"]
    refuse((log["root"], log["level"], log["began_us"], log["as_of_us"]) == told and
           log["checkpoint"] in [note["checkpoint"] for note in notes if note["entries"] == size],
           "the log is not what the report says")
    rows = check_evidence(report, fields)
    check_controls(report, rows)
    check_proofs(report, rows, entries, roots[size])
    return (f"{len(report['controls'])} controls, {len(rows)} kinds of evidence and "
            f"{len(report['proofs'])} proofs hold in the {size} entries of {log['origin']}")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit("usage: verify_report.py VKEY REPORT.json FOLDER [SIGNATURE]")
    try:
        vkey, path, export, *more = sys.argv[1:]
        texts = [open(name, encoding="utf-8", newline="").read() for name in (path, *more)]
        print("OK ", check(vkey, texts[0], pathlib.Path(export), *texts[1:]))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OSError) as error:
        sys.exit(f"the report does not hold: {error}")
