"""Drive a HORUS robot with the keyboard: the command `horus teleop`."""
