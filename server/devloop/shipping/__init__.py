"""What shipping a version needs to know, worked out by devloop itself: what changed, which version that makes, what the
changelog says, and what stands in the way. Pure; `daemon/errands/ship.py` brings it together."""

from devloop.shipping import changelog, checks, commits, locks, manifests, versions

__all__ = ["changelog", "checks", "commits", "locks", "manifests", "versions"]
