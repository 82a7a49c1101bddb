"""Signatures of thinking blocks, over their own text and over everything that came before their answer (rules 20, 21),
and of summaries, over their text.

A signature names how many parts the request had that it answers, so that an answer may come back as a message of its
own or joined to its neighbour of the same role. The secret is fixed: a double that was started again knows its own
signatures. That of a summary also says which scripted turn it was, since the messages that would tell are gone with it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict
from typing import Any

from devloop.models.scenario import Place
from double.flat import Part
from double.refusal import Refusal

_SECRET = b"double of the Messages API"


def sign(thinking: str, before: list[Part]) -> str:
    digest = before[-1].digest if before else ""
    head = f"sig.{len(before)}.{_mac('prefix', digest)}"
    return f"{head}.{_mac(head, thinking)}"


def verify(parts: list[Part], *, bound: bool) -> None:
    """Check every thinking block in `parts`; `bound`: the model binds thinking to the conversation."""
    for index, part in enumerate(parts):
        if part.block.get("type") != "thinking" or part.role != "assistant":
            continue
        fields = str(part.block["signature"]).split(".")
        whole = len(fields) == 4 and fields[0] == "sig" and fields[1].isdigit() and part.block["signature"].isascii()
        if not whole or not hmac.compare_digest(fields[3], _mac(".".join(fields[:3]), str(part.block["thinking"]))):
            raise Refusal(f"{part.place}: Invalid `signature` in `thinking` block", rule=20)
        count = int(fields[1])
        digest = parts[count - 1].digest if 0 < count <= index else ""
        between = parts[count:index]
        same = count <= index and all(p.role == "assistant" for p in between)
        if bound and not (same and hmac.compare_digest(fields[2], _mac("prefix", digest))):
            raise Refusal(
                f"{part.place}: Invalid signature in thinking block. The block is bound to a different conversation: "
                "system, tools or an earlier message differs.",
                rule=21,
            )


def sign_summary(content: str, place: Place) -> str:
    head = "sum." + urlsafe_b64encode(json.dumps(asdict(place)).encode()).decode()
    return f"{head}.{_mac(head, content)}"


def verify_summary(block: dict[str, Any], where: str) -> Place:
    """The place of the turn that ended with this summary. Every summary that comes back is checked."""
    signature = block.get("signature")
    fields = signature.split(".") if isinstance(signature, str) and signature.isascii() else []
    if len(fields) != 3 or fields[0] != "sum":
        raise Refusal(f"{where}: the signature does not verify", rule=20, error_code="compaction_signature_invalid")
    if not hmac.compare_digest(fields[2], _mac(".".join(fields[:2]), str(block["content"]))):
        raise Refusal(f"{where}: the content differs", rule=20, error_code="compaction_content_mismatch")
    return Place(**json.loads(urlsafe_b64decode(fields[1])))


def _mac(what: str, text: str) -> str:
    return hmac.new(_SECRET, f"{what}:{text}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:24]
