"""Files that by their name hold secrets: nobody who only looks at a change is shown what is in them."""

from __future__ import annotations

from typing import Final

from devloop.globs import matches

_PRIVATE: Final = (
    *(".env", ".env.*", "*.env", ".envrc", ".netrc", "_netrc", ".npmrc", ".pypirc", ".pgpass", ".git-credentials"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.asc", "*.gpg"),
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "credentials", "credentials.{json,yml,yaml,toml,ini}"),
    *("secrets", "secrets.{json,yml,yaml,toml,ini,env}", "*.tfstate", "*.tfvars", "service-account*.json"),
    *(".htpasswd", "*.secret", "kubeconfig"),
)
_EXAMPLES: Final = ("*.example", "*.sample", "*.template", "*.dist", "example.*", "sample.*", "*.example.*")
"""Written to be shared."""


def is_private(path: str) -> bool:
    """By the name of the file alone, whatever its case."""
    name = (path.rpartition("/")[2].lower(),)
    return any(matches(each, name) for each in _PRIVATE) and not any(matches(each, name) for each in _EXAMPLES)
