"""python -m bnnhw, which torchrun calls: the same as bnnhw."""

from .cli import main

if __name__ == "__main__":
    main()
