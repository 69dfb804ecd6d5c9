"""Programs that run inside Blender's Python: scene packs, and the kit that they share.

A pack is a folder with ``plan.py`` (parameters and random streams -> a JSON-able plan, no Blender) and ``program.py``
(plan -> Blender scene). The hand-over to the factory is a job JSON in and raw frames out.

These files are Apache-2.0 like the rest; they run inside Blender (``bpy``) and on BlenderProc, both GPL-3.0-or-later.
"""
