"""What an interpreter weighs that does nothing."""

with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib weighs, too
    print("resident", next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")))
