"""The door for operators at a terminal: `fairkey ...`."""
