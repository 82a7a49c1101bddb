"""devloop: drive coding agents from a Markdown plan."""

__version__ = "0.1.0"
