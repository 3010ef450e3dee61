"""What people say of the machine's work: feedback, surveys, and how it is answered."""
