"""`python -m elicense`: the same as the command `elicense`."""

from elicense.cli import main

if __name__ == "__main__":
    main()
