"""Knowledge that an agent loads when it needs it. The skills themselves lie in `skills/` beside the server."""
