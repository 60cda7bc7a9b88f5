"""Pages for people: parse what the browser sends, ask the house, show the answer. No business rules live here."""
