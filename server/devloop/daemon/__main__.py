from devloop.daemon.process import main

raise SystemExit(main())
