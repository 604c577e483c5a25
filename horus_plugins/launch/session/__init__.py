"""Running a plan: one launcher process, one thread, one loop that never waits for anything but events."""
