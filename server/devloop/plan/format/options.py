"""What a person can choose about formatting."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FormatOptions:
    """`renumber`: close gaps in the ids of tasks, references follow. `trim`: cut blanks at the ends of lines."""

    renumber: bool = False
    trim: bool = True


DEFAULT = FormatOptions()
