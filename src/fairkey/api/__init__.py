"""What programs use: `/api/v1` and the callbacks of payment providers."""
