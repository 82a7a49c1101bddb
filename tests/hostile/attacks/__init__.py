"""One module per class of attack; `ATTACKS` has them all."""

from __future__ import annotations

from hostile.attacks import agent, brought, files, git_names, git_runs, network, processes, settings, spoken, texts
from hostile.ground import Attack

MODULES = (agent, brought, files, git_names, git_runs, network, processes, settings, spoken, texts)
ATTACKS: tuple[Attack, ...] = tuple(attack for module in MODULES for attack in module.ATTACKS)
