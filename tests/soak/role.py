"""What the supervisor starts, and `horus run` on its behalf: one process of the soak."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from endurance.process import main

if __name__ == "__main__":
    main(sys.argv[1])
