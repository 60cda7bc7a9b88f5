"""The rules. Pure: no I/O, no clock, no chance. One file, one promise; see README.md beside this file."""
