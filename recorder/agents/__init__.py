"""Players: a person with keyboard or controller, scripted experts, random players."""
