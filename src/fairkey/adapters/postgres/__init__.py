"""PostgreSQL: the embedded server, the migrations, and the statements of everything kept in it."""
