"""What all results of modes are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_TEXT = 8_000
MAX_LIST = 100

Text = Annotated[str, Field(max_length=MAX_TEXT)]
Said = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Level = Literal["high", "medium", "low"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=(), defer_build=True)
    """Built when first used: a run uses one or two of all these."""


class Result(Part):
    """What a mode hands to `finish`. The class's docstring is what the model reads of the tool."""

    summary: Said = Field(description="1-3 sentences")

    @property
    def clear(self) -> bool:
        """Whether nobody has to look at it: unattended loops stop at a result that is not clear."""
        return True


Texts = Annotated[list[Text], Field(max_length=MAX_LIST)]
