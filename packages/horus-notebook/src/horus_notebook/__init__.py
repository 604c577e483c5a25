"""`horus run robot.ipynb`: the code cells of a notebook as one program, in a process of its own."""
