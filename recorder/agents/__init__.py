"""Who plays: keys and controllers under a person's hands, scripted experts, random players."""
