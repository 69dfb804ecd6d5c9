"""Programs that run inside Blender's Python: scene packs, and the kit that they share.

A pack is a folder with ``plan.py`` (parameters and random streams -> a JSON-able plan, no Blender) and ``program.py``
(plan -> Blender scene). The hand-over to the factory is a job JSON in and raw frames out.
"""
