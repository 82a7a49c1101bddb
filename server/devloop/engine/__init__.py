"""Durable execution of runs in a process of its own. This face is light: the heavy part loads in the engine only."""

from devloop.engine.client import EngineClient

__all__ = ["EngineClient"]
