"""A payment provider for demos and tests: it collects, holds, splits, pays back and pays out, and no money is real.

A separate program with its own state that shares no code with its customer, so that what passes between the two is
only what a real provider would show: signed HTTP in both directions. It can be told to fail in the ways real ones do
(`faults`).
"""
