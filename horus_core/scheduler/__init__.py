"""Running nodes: releases, order, failures, signals, clean stops."""
