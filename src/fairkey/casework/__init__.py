"""Outside cases: a buyer's file about a purchase on any platform, from his screenshots to a complaint that works."""
