"""Looking at what runs, without taking part in it."""
