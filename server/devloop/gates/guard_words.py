"""The words that take a test or a finding away: `guards.py` finds them, `guard_severity.py` judges them."""

from __future__ import annotations

import re
from typing import Final

_OWN: Final = (
    r"\bmark\.(?:skip|skipif|xfail)\b|\bpytest\.(?:skip|xfail|importorskip)\s*\(|\bunittest\.(?:skip\w*|expectedFailure)\b"
    r"|\bself\.skipTest\s*\(|@(?:\w+\.)*(?:skip|skipif|xfail|skipIf|skipUnless|expectedFailure)\b"
    r"|raise\s+(?:\w+\.)*(?:SkipTest|Skipped)\b|\b(?:it|test|describe|suite|bench)(?:\.\w+)*\.(?:skip\w*|runIf|todo|fixme|fail(?:s|ing)?)\b"
    r"|\bx(?:it|describe|test)\s*\(|\b(?:this|ctx|context|t)\.skip\s*\(|[{,]\s*(?:skip|todo|fails)\s*:\s*(?:true\b|!0|['\"])"
    r"|\bt\.Skip\w*\(|\btesting\.Short\(\)|#\[ignore|#\[cfg_attr\(.*\bignore\b|@(?:Disabled|Ignore)\b"
)
_FAR: Final = (
    r"\bpytest\.exit\s*\(|\bskip\.Exception\b|\bcollect_ignore|\badd_marker\s*\(.*(?:skip|xfail)|\b__test__\s*=\s*False"
    r"|\b(?:it|test|describe|suite)\.only\b|\bf(?:it|describe)\s*\(|//go:build\s+ignore"
)
OWN_SKIP: Final = re.compile(_OWN)
"""Concerns the test that it stands at, or in."""
FAR_SKIP: Final = re.compile(rf"{_FAR}|\badd_marker\s*\(|\.only\b|\bautouse\b")
"""Reaches further, or may: a line with one of these is never only about its own test."""
SKIP: Final = re.compile(f"{_OWN}|{_FAR}")
SUPPRESSION: Final = re.compile(
    r"#\s*type:\s*ignore|#\s*(?:ruff:\s*|flake8:\s*)?noqa|#\s*nosec|#\s*pyright:|#\s*mypy:"
    r"|#\s*pylint:\s*(?:disable|skip)|#\s*fmt:\s*(?:off|skip)|#\s*pragma:\s*no\b|@(?:\w+\.)*no_type_check|eslint-disable"
    r"|@ts-(?:ignore|nocheck|expect-error)|biome-ignore|//\s*nolint|#!?\[allow\(|nosemgrep"
    r"|(?:istanbul|c8|v8)\s+ignore|oxlint-disable|prettier-ignore",
    re.IGNORECASE,
)
