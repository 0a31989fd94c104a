"""The verifier: untrusted bytes to a report with two answers. It ships alone: nothing here can issue."""
