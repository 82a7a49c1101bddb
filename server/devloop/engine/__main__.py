from devloop.engine.process import main

raise SystemExit(main())
