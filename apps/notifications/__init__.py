"""Messages to people: written with their cause, sent once, answered."""
