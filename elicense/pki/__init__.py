"""Keys, certificates, trust and timestamps."""
