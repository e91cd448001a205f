"""What must reach the district, kept until it has."""
