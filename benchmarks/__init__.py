"""Speed, always as a ratio to a peer in the same run: `python -m benchmarks issue|verify|bulk|service`."""
