"""`python -m privgan_cli`, for whoever starts Python instead of `privgan`: torchrun, say."""

from privgan_cli.main import main

main()
