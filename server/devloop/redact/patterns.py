"""Shapes of secrets that say by their beginning whose they are (layer 2; security §9.3).

A pattern is tried only where one of its literals stands in the text. None of them spans a line's end, so that a text
may be hidden line by line; all but those of `ANYWHERE` have a long run in them (`runs`). A beginning that could be a
part of a word counts behind an escape (`\\n`, `%3D`) as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_START: Final = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2}))"
PLACEHOLDER: Final = re.compile(r"«redacted:[a-z0-9-]{0,100}:[0-9a-f]{4}»")
_NO_WORDS: Final = r"(?!(?:[a-z]+|\d+)(?:-(?:[a-z]+|\d+)){2,}(?![A-Za-z0-9_-]))"
"""Not `sk-1234-what-a-branch-is-called`, nor a class of a style sheet."""
_COMMON: Final = re.compile(
    r"[^:]*:(?:pass(?:word|wd)?|secret|changeme|example|postgres|root|admin|guest|test|user|[x*.]{3,}|.*[{}$<>%].*)\Z",
    re.IGNORECASE,
)
"""`user:password` of URLs in documents and tests: what everybody writes is nobody's secret."""


@dataclass(frozen=True)
class Pattern:
    """`literals`: one of them stands in every match. A group in `expression` is what is hidden, else all of it."""

    name: str
    literals: tuple[str, ...]
    expression: re.Pattern[str]

    def matches(self, text: str) -> Iterator[tuple[int, int]]:
        group = 1 if self.expression.groups else 0
        for found in self.expression.finditer(text):
            if self.name != "url-password" or not _known_to_all(found[group]):
                yield found.span(group)


def _known_to_all(credentials: str) -> bool:
    user, _, password = credentials.partition(":")
    told_already = PLACEHOLDER.fullmatch(credentials) is not None
    return told_already or user == password or _COMMON.match(credentials) is not None


def _pattern(name: str, literals: str, expression: str) -> Pattern:
    return Pattern(name, tuple(literals.split()), re.compile(expression.replace("§", _START), re.ASCII))


IN_RUNS: Final = (
    _pattern("anthropic-key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{16,}"),
    _pattern("openai-key", "sk-", rf"§sk-{_NO_WORDS}(?:proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{{32,}}"),
    _pattern("github-pat", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{30,}"),
    _pattern("github-pat", "github_pat_", r"github_pat_[A-Za-z0-9_]{30,}"),
    _pattern("gitlab-pat", "glpat- gldt- glrt- glptt- glcbt-", r"gl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_.-]{18,}"),
    _pattern("aws-key-id", "AKIA ASIA", r"§A[KS]IA(?![0-9A-Z]{9}EXAMPLE)[0-9A-Z]{16}(?![0-9A-Za-z])"),
    _pattern("google-key", "AIza", r"§AIza[0-9A-Za-z_-]{35}"),
    _pattern("google-oauth", "GOCSPX- ya29.", r"GOCSPX-[A-Za-z0-9_-]{20,}|§ya29\.[A-Za-z0-9_-]{20,}"),
    _pattern("slack-token", "xox xapp-", r"xox[abeoprs]-[0-9A-Za-z-]{10,}|xapp-\d-[0-9A-Za-z-]{20,}"),
    _pattern("discord-webhook", "/api/webhooks/", r"/api/webhooks/(\d{10,}/[\w-]{40,})"),
    _pattern("stripe-key", "k_live_ whsec_", r"[rs]k_live_[0-9A-Za-z]{16,}|whsec_[0-9A-Za-z+/=]{24,}"),
    _pattern("npm-token", "npm_", r"§npm_[A-Za-z0-9]{36}"),
    _pattern("pypi-token", "pypi-", r"pypi-[A-Za-z0-9_-]{50,}"),
    _pattern("jwt", "eyJ", r"eyJ[A-Za-z0-9_-]{12,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    _pattern("sendgrid-key", "SG.", r"§SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _pattern("digitalocean-token", "_v1_", r"do[opr]_v1_[a-f0-9]{64}"),
    _pattern("docker-pat", "dckr_pat_", r"dckr_pat_[A-Za-z0-9_-]{20,}"),
    _pattern("huggingface-token", "hf_", r"§hf_[A-Za-z0-9]{30,}"),
    _pattern("groq-key", "gsk_", r"§gsk_[A-Za-z0-9]{40,}"),
    _pattern("xai-key", "xai-", r"§xai-[A-Za-z0-9]{60,}"),
    _pattern("replicate-token", "r8_", r"§r8_[A-Za-z0-9]{30,}"),
    _pattern("shopify-token", "shp", r"§shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}"),
    _pattern("twilio-key", "SK", r"§SK[0-9a-f]{32}(?![0-9A-Za-z])"),
    _pattern("telegram-token", ":AA", r"§\d{8,10}:AA[A-Za-z0-9_-]{32,}"),
    _pattern("square-token", "sq0", r"sq0(?:csp|atp|idp)-[A-Za-z0-9_-]{22,}"),
    _pattern("linear-key", "lin_api_", r"lin_api_[A-Za-z0-9]{30,}"),
    _pattern("notion-token", "ntn_", r"§ntn_[A-Za-z0-9]{40,}"),
    _pattern("figma-token", "figd_", r"figd_[A-Za-z0-9_-]{30,}"),
    _pattern("postman-key", "PMAK-", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    _pattern("grafana-token", "glsa_ glc_", r"glsa_[A-Za-z0-9]{32}_[a-fA-F0-9]{8}|§glc_[A-Za-z0-9+/=]{32,}"),
    _pattern("databricks-token", "dapi", r"§dapi[a-f0-9]{32}"),
    _pattern("mailgun-key", "key-", r"§key-[a-f0-9]{32}(?![0-9A-Za-z])"),
    _pattern("newrelic-key", "NRAK-", r"NRAK-[A-Z0-9]{27}"),
    _pattern("planetscale-token", "pscale_", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,}"),
    _pattern("pulumi-token", "pul-", r"§pul-[a-f0-9]{40}"),
    _pattern("age-key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    _pattern("vault-token", "hvs. hvb.", r"§hv[sb]\.[A-Za-z0-9_-]{24,}"),
    _pattern("terraform-token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,}"),
    _pattern("doppler-token", "dp.", r"§dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{40,}"),
    _pattern("rubygems-key", "rubygems_", r"rubygems_[a-f0-9]{48}"),
    _pattern("sentry-token", "sntrys_ sntryu_", r"sntry[su]_[A-Za-z0-9+/=_-]{40,}"),
    _pattern("airtable-pat", "pat", r"§pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    _pattern("atlassian-token", "ATATT3", r"ATATT3[A-Za-z0-9_=-]{60,}"),
    _pattern("supabase-token", "sbp_", r"§sbp_[a-f0-9]{40}"),
)
ANYWHERE: Final = (
    _pattern(
        "aws-secret-key",
        "ecret_access_key ECRET_ACCESS_KEY ecretAccessKey",
        r"(?:[Ss]ecret_access_key|SECRET_ACCESS_KEY|[Ss]ecretAccessKey)[\"']?[ \t]{0,9}[=:][ \t]{0,9}[\"']?"
        r"(?![A-Za-z0-9/+]{30}EXAMPLEKEY)([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    ),
    _pattern("slack-webhook", "hooks.slack.com/", r"hooks\.slack\.com/services/(T\w+/B\w+/\w{16,})"),
    _pattern("azure-storage-key", "AccountKey=", r"AccountKey=([A-Za-z0-9+/]{60,}={0,2})"),
    _pattern("bearer", "earer", r"[Bb]earer(?:[ \t]{1,9}|%20)([A-Za-z0-9._~+/=-]{16,})"),
    _pattern(
        "basic-auth",
        "asic",
        r"[Aa]uthorization[\"']?[ \t]{0,9}[:=][ \t]{0,9}[\"']?[Bb]asic[ \t]{1,9}([A-Za-z0-9+/=]{8,})",
    ),
    # One slash is enough: a URL that was taken for a path has lost the other.
    _pattern("url-password", ":/", r":/{1,2}([^\s/@:\"'<>]{0,64}:[^\s/@\"'<>]{3,256})@"),
)

NAMES: Final = (*dict.fromkeys(each.name for each in (*IN_RUNS, *ANYWHERE)), "private-key")
"""What a placeholder says of a shape."""


def possible(text: str) -> tuple[Pattern, ...]:
    """The patterns of which a literal stands in `text`: for most texts none."""
    return tuple(each for each in (*IN_RUNS, *ANYWHERE) if any(literal in text for literal in each.literals))


def matches(text: str, among: Iterable[Pattern] = (*IN_RUNS, *ANYWHERE)) -> Iterator[tuple[Pattern, int, int]]:
    """Everything in `text` that has the shape of a secret: the pattern, begin and end. Matches may overlap. `among`:
    what is `possible` in a longer text that this is a line of."""
    for pattern in among:
        if any(literal in text for literal in pattern.literals):
            for begin, end in pattern.matches(text):
                yield pattern, begin, end


def hidden(text: str, of: tuple[Pattern, ...], told: Callable[[str, str], str]) -> str:
    """`text` with each match replaced by what `told` says of the pattern's name and the value."""
    for pattern in of:
        if any(literal in text for literal in pattern.literals):
            pieces, at = [], 0
            for begin, end in pattern.matches(text):
                pieces += [text[at:begin], told(pattern.name, text[begin:end])]
                at = end
            if at:
                text = "".join([*pieces, text[at:]])
    return text
