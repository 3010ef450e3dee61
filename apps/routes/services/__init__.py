"""The verbs of routes: plan, publish, report, follow."""
