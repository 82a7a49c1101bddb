"""Help that can be read on 80 columns, whichever typer writes it."""

from __future__ import annotations

from typing import Any

import typer
from typer import core


def settle(app: typer.Typer) -> None:
    """No `<bool>` beside each switch, no brackets around the brackets of our own names, no line ends of the source."""
    for info in (*app.registered_commands, *(each for group in app.registered_groups for each in _of(group))):
        if info.help is None and info.callback is not None and info.callback.__doc__:
            info.help = flowing(info.callback.__doc__)
    option: Any = core.TyperOption
    argument: Any = core.TyperArgument
    kept = getattr(option, "display_type_rich", None)
    if kept is None or getattr(kept, "settled", False):  # older ones write neither; or it is done already
        return
    plain_usage = argument._usage_display_name

    def of_option(self: Any, ctx: Any) -> Any:
        return None if self.is_flag else kept(self, ctx)

    def of_argument(self: Any, ctx: Any) -> Any:
        return self.display_type(ctx) if self.type_descriptor.is_choice else None

    def usage(self: Any) -> Any:
        return plain_usage(self) if self.metavar is None else self.metavar

    of_option.settled = True  # type: ignore[attr-defined]
    option.display_type_rich, argument.display_type_rich, argument._usage_display_name = of_option, of_argument, usage


def _of(group: Any) -> list[Any]:
    inner = group.typer_instance
    return [*inner.registered_commands, *(each for other in inner.registered_groups for each in _of(other))]


def flowing(text: str) -> str:
    """The same paragraphs, without the line ends that the width of the source gave them; lists keep theirs."""
    paragraphs = [each.strip("\n") for each in text.split("\n\n")]
    return "\n\n".join(each if _is_list(each) else " ".join(each.split()) for each in paragraphs)


def _is_list(paragraph: str) -> bool:
    return any(line.lstrip().startswith(("- ", "* ", "• ")) for line in paragraph.splitlines())
