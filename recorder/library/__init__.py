"""A folder of sessions: listed, verified, copied, joined, thrown away; and the Library page without Qt."""
