"""`python -m adapter` is `xima-adapter`."""

from adapter.cli import main

if __name__ == "__main__":
    main(prog_name="xima-adapter")
