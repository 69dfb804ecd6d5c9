"""Segmentation models: building, training, saving and predicting. May use `factory.measure`, which never uses it."""
