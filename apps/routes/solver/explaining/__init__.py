"""Why a plan is as it is: what binds, what every other place costs, what if. Pure."""
