"""The door for programs: /api/v1, its OpenAPI description, problems and keys."""
