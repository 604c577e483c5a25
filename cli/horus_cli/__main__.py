"""`python -m horus_cli`: the `horus` command of this interpreter."""

from horus_cli.main import main

main()
