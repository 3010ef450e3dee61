"""The verbs of training: compose a demo's day, a crew for any day, log-ins."""
