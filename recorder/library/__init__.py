"""A folder of sessions: list, verify, copy, join and delete them; and the Library page without Qt."""
