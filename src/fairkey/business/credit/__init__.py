"""Credit of a shop: numbers that anybody computes from the public log, in integers alone (see docs/credit.md)."""
