"""What makes two submissions the same task, by the names that Tasker's users know.

"strict": the input; the same input of the same workflow, with the keys of its objects in any
order, is the same task. "caller_provided": the key that the caller gives, and has to give.
"always_unique": nothing; every submission is a task of its own.
"""

from __future__ import annotations

import json
from typing import Optional, Tuple

from ._binding import core

STRATEGIES = ("strict", "caller_provided", "always_unique")


def identify(
    text: Optional[str], key: Optional[str], strategy: Optional[str]
) -> Tuple[Optional[str], Optional[str]]:
    """Input text and key of a submission. Without a strategy the key decides when there is one.

    Raises InvalidArgumentError when the key does not go with the strategy.
    """
    if strategy is not None and strategy not in STRATEGIES:
        raise core.InvalidArgumentError(
            f"{strategy!r} is no identity strategy, expected one of {', '.join(STRATEGIES)}"
        )
    if strategy == "caller_provided" and not key:
        raise core.InvalidArgumentError("the identity strategy caller_provided needs a key")
    if strategy in ("strict", "always_unique") and key is not None:
        raise core.InvalidArgumentError(f"the identity strategy {strategy} takes no key")
    if strategy != "strict":
        return text, key
    import hashlib  # takes longer to load than the rest of the package

    sorted_text = json.dumps(
        None if text is None else json.loads(text),
        ensure_ascii=False,
        separators=(",", ":"),
        sort_keys=True,
    )
    return sorted_text, "strict:" + hashlib.sha256(sorted_text.encode()).hexdigest()
