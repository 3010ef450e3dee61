"""Sources of travel times, a file each, behind one Protocol."""
