"""Where tiles lie, and how witnesses are asked."""
