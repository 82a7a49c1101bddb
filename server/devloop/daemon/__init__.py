"""One process per workspace between the front-ends and the engine. This face is light: the client side only."""

from devloop.daemon.connect import DaemonPeer, connect, stop

__all__ = ["DaemonPeer", "connect", "stop"]
