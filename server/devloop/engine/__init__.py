"""Durable execution of runs, in a process of its own. This package's face is light: the heavy part loads in the engine only."""

from devloop.engine.client import EngineClient

__all__ = ["EngineClient"]
