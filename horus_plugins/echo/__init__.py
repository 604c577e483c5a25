"""Messages as text: `horus topic echo` and `horus topic pub`, and the encodings that they share."""
