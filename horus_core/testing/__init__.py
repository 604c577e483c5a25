"""What tests of nodes need. Users import horus.testing; pytest finds the fixture by itself."""
