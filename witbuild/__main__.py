"""`python -m witbuild`: the same as the command, for where no script is on the path."""

from witbuild.cli import main

if __name__ == "__main__":
    main()
