"""`python -m` of the worker, apart from it: classes of a module that runs as a script are not those that are sent."""

from horus_plugins.execution import worker

worker.main()
