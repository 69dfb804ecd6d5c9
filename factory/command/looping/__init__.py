"""``factory loop``: rounds of questions, answers and training, on whatever line the command line can set."""
