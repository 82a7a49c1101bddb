"""The engine's process. What its modules consist of stays for good: the collector need not look at it, and loading it
takes a tenth less."""

import gc

gc.disable()

from devloop.engine.process import main  # noqa: E402

gc.freeze()
gc.enable()

raise SystemExit(main())
