"""Which variables are secret, by name or value. Without loading anything: whoever starts a process asks."""

from __future__ import annotations

import re
from typing import Final

SECRET_NAME: Final = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH(?!OR)", re.IGNORECASE)
URL_PASSWORD: Final = re.compile(r"://[^\s/@:]{0,200}:([^\s/@]{3,500})@")


def is_secret(name: str, value: str) -> bool:
    """Whether a variable of this name and value is one to be kept to oneself."""
    return SECRET_NAME.search(name) is not None or URL_PASSWORD.search(value) is not None
