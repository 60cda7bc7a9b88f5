"""Time-stamping authorities (RFC 3161) over HTTP."""
