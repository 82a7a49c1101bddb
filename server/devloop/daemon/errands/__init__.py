"""Errands: what the person's commands give to agents beside the plan, one module for each command (ARCHITECTURE,
"Errands")."""

from devloop.daemon.errands.model import Project
from devloop.daemon.errands.registry import Errands

__all__ = ["Errands", "Project"]
