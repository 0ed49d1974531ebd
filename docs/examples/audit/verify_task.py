"""Verify a Stepwell task file with nothing but Python: no Stepwell, no libraries.

    python3 verify_task.py FILE [VKEY]

Prints what happened, entry by entry. Without VKEY, the verifier key of the log, nothing shows that
the file was not made up as a whole. Exit status 1 when the file does not hold together.
docs/reference/task-file.md describes every byte that is read here.
"""

import json
import sys
from base64 import b64decode
from datetime import datetime, timezone

from verify_proof import checkpoint, included, sha256

KINDS = """workflow_registered task_submitted task_changed step_changed step_fenced worker_opened
    worker_closed worker_lost task_pruned breaker_changed task_erased event""".split()
STEP = "pending ready running waiting succeeded failed skipped cancelled resolved".split()
TASK = "pending running paused succeeded failed cancelled resolved".split()


def decode(data):
    """The fields of an entry (docs/reference/audit-format.md)."""
    at = 2

    def number():
        nonlocal at
        value = shift = 0
        while True:
            value, shift, at = value | (data[at] & 127) << shift, shift + 7, at + 1
            if data[at - 1] < 128:
                return value

    def take(size):
        nonlocal at
        at += size
        return data[at - size : at]

    names = "no time_us from to attempt epoch step_id worker_id".split()
    entry = {"kind": KINDS[data[1] - 1], **{name: number() for name in names}}
    entry["task_id"] = take(16)
    for name in "step actor reason subject digest".split():
        # The length is one more than that of the string; 0 stands for one that is absent.
        size = number()
        entry[name] = take(size - 1) if size else None
    if data[0] != 1 or at != len(data):
        raise ValueError("an entry has another form")
    return entry


def digest(payload, *parts):
    """What an entry sealed of a payload, from the payload."""
    if "digest" in payload:
        return bytes.fromhex(payload["digest"])
    parts = [(part or "").encode() for part in parts]
    if len(parts) > 1:
        parts = [piece for part in parts for piece in (len(part).to_bytes(8, "big"), part)]
    return sha256(bytes.fromhex(payload["salt"]), *parts)


def replay(file, entries):
    """States by step, and what was sealed, by following the entries."""
    task_id = bytes.fromhex(file["task"]["id"].replace("-", ""))
    definition, state, sealed = file["definition"].encode(), {}, {}
    after = {step["name"]: step["after"] for step in json.loads(definition)["steps"]}
    steps = {name: ("ready" if not after[name] else "pending", 0, 0) for name in after}
    for entry in entries:
        kind, name = entry["kind"], (entry["step"] or b"").decode()
        if kind.startswith(("task", "step", "event")) and entry["task_id"] != task_id:
            raise ValueError(f"entry {entry['no']} is about another task")
        if kind == "task_submitted":
            if state or entry["subject"].decode() != sha256(definition).hex():
                raise ValueError("the task was submitted with another definition")
            state, sealed["input"] = {"task": "pending"}, entry["digest"]
        elif kind == "event":
            sealed["event", entry["no"]] = entry["digest"]
        elif kind == "task_changed":
            if state.get("task") != TASK[entry["from"]]:
                raise ValueError(f"something is missing before entry {entry['no']}")
            state["task"] = TASK[entry["to"]]
        elif kind == "step_changed":
            old, to = steps[name], STEP[entry["to"]]
            starts = to == "running"
            if old[0] != STEP[entry["from"]] or not 0 <= entry["epoch"] - old[2] - starts <= 1:
                raise ValueError(f"something is missing before entry {entry['no']}")
            steps[name] = (to, entry["attempt"], entry["epoch"])
            if to in ("succeeded", "resolved"):
                sealed[name, "result"] = entry["digest"]
            elif entry["digest"]:
                sealed[name, "error"] = entry["digest"]
    return state.get("task"), steps, sealed


def verify(file, vkey=None):
    """The entries of the file; ValueError when it does not hold together."""
    log, entries = file["log"], []
    if (file["format"], file["version"]) != ("stepwell-task-file", 1):
        raise ValueError("not a task file of version 1")
    size, root = log["entries"], b64decode(log["root"], validate=True)
    if vkey and checkpoint(log["checkpoint"] or "\n\n", vkey)[1:] != (size, root):
        raise ValueError("the proofs lead to another root than the one that was signed")
    for row in file["entries"]:
        data, no = b64decode(row["bytes"], validate=True), row["no"]
        hashes = row["proof"] and [b64decode(text, validate=True) for text in row["proof"]]
        if hashes is None and no <= size or hashes is not None and no > size:
            raise ValueError(f"entry {no} lacks its proof")
        if hashes is not None and included(sha256(b"\0", data), no - 1, size, hashes) != root:
            raise ValueError(f"entry {no} is not in the log")
        entries.append({**decode(data), "proved": hashes is not None})
        if entries[-1]["no"] != no or len(entries) > 1 and no <= entries[-2]["no"]:
            raise ValueError(f"entry {no} stands in the wrong place")
    if not any(entry["kind"] == "task_submitted" and entry["proved"] for entry in entries):
        raise ValueError("the submission of the task is not proved")
    state, steps, sealed = replay(file, entries)
    if file["task"]["state"] != state:
        raise ValueError("the state of the task is not what its entries say")
    payload = file["task"]["input"]
    if (payload and digest(payload, payload.get("json"))) != sealed.get("input"):
        raise ValueError("the input is not the one that was sealed")
    for step in file["steps"]:
        name, result, error = step["name"], step["result"], step["error"]
        if (step["state"], step["attempt"], step["epoch"]) != steps[name]:
            raise ValueError(f"the row of step {name} is not what its entries say")
        texts = [error.get(key) for key in ("class", "message", "detail")] if error else []
        if (result and digest(result, result.get("json"))) != sealed.get((name, "result")):
            raise ValueError(f"the result of step {name} is not the one that was sealed")
        if (error and digest(error, *texts)) != sealed.get((name, "error")):
            raise ValueError(f"the error of step {name} is not the one that was sealed")
    events = [(row["no"], row["payload"]) for row in file["events"]]
    if [no for no, _ in events] != [row["no"] for row in entries if row["kind"] == "event"]:
        raise ValueError("the events are not those of the entries")
    for no, payload in events:
        texts = [payload.get(key) for key in ("json", "key", "correlation_id")]
        if digest(payload, *texts) != sealed["event", no]:
            raise ValueError(f"event {no} is not the one that was sealed")
    return entries


def says(entry):
    when = datetime.fromtimestamp(entry["time_us"] / 1e6, timezone.utc).isoformat(" ")
    states = {"step_changed": STEP, "task_changed": TASK}.get(entry["kind"])
    what = f"{states[entry['from']]} to {states[entry['to']]}" if states else ""
    if entry["kind"] == "event":
        what = entry["subject"].decode()
    words = [entry["kind"], (entry["step"] or b"").decode(), what]
    words += [f"by {entry['actor'].decode()}" if entry["actor"] else ""]
    words += [f"on worker {entry['worker_id']}" if entry["worker_id"] else ""]
    words += ["" if entry["proved"] else "(not proved)"]
    return f"{entry['no']:>6}  {when}  " + " ".join(word for word in words if word)


if __name__ == "__main__":
    try:
        with open(sys.argv[1], encoding="utf-8") as stream:
            entries = verify(json.load(stream), *sys.argv[2:3])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        sys.exit(f"the file does not hold: {error}")
    print(*map(says, entries), sep="\n")
    proved = sum(entry["proved"] for entry in entries)
    print(f"OK  {proved} of {len(entries)} entries proved, {'signed' if sys.argv[2:] else 'not signed'}")
