"""Weak hints that a person might have given, drawn from masks that are then forgotten: ``filter(photo, seed)``.

Every kind is a part of its own. What is meant and what goes wrong on the way are separate streams of the seed and the
picture's id: a clumsier person means the same places. A filter sees one picture, hence no class that is not in it.
"""
