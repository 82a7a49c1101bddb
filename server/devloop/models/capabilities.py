"""What a server behind a base URL may be asked for (model-api §17.4): a foreign host gets plain Messages only."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

ANTHROPIC_URL = "https://api.anthropic.com"


@dataclass(frozen=True)
class Capabilities:
    """`caching`: cache breakpoints; `effort`: `output_config.effort`; `listing`: `GET /v1/models`;
    `key_required`: without a key nothing is sent at all; `compaction`: the server summarises a long conversation
    itself, with the models that can (`ModelLimits.compacts`)."""

    caching: bool = False
    effort: bool = False
    listing: bool = False
    key_required: bool = False
    compaction: bool = False


FULL = Capabilities(caching=True, effort=True, listing=True, key_required=True, compaction=True)
PLAIN = Capabilities()


def capabilities_of(base_url: str, overrides: Mapping[str, Capabilities] | None = None) -> Capabilities:
    """The record for `base_url`; `overrides` maps whole base URLs (no trailing slash needed)."""
    wanted = base_url.rstrip("/")
    for url, record in (overrides or {}).items():
        if url.rstrip("/") == wanted:
            return record
    parts = urlsplit(base_url)
    return FULL if parts.scheme == "https" and parts.hostname == "api.anthropic.com" else PLAIN


def is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
