"""`python -m crmbridge`."""

from .cli import main

raise SystemExit(main())
