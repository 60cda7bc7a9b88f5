"""Issuers, asked over the network."""
