"""The outside world behind small ports: PostgreSQL, payment providers, the vault, mail."""
