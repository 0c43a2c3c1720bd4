"""The Watch page without Qt: two players in the same game, on one clock."""
