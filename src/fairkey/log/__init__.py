"""The public log: who writes it, and what its writer asks of storage, tile stores and witnesses."""
