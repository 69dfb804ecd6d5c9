"""``factory tune``: the search of `factory.tune` over whatever the command line can set."""
