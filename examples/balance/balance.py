"""The plant and its controller in one process, each on its own thread."""

import plant
from controller import Controller

if __name__ == "__main__":
    plant.main(Controller())
