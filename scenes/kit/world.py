"""The world as a formula of direction: what rays that hit nothing see, and what lights the scene from all around."""

from __future__ import annotations

from typing import Any

from scenes.kit.tree import Nodes, Socket


class World(Nodes):
    """The scene's world, emptied; ``direction`` is the unit vector from the camera outwards.

    Cycles does not sample it as a light: it is smooth, and a map of its brightness would cost more than it saves.
    """

    def __init__(self) -> None:
        import bpy

        world = bpy.context.scene.world
        world.use_nodes = True
        world.cycles.sampling_method = "NONE"
        super().__init__(world.node_tree)
        self.tree.nodes.clear()
        self.direction: Socket = self.node("TexCoord", {}).outputs["Generated"]

    def paint(self, colour: Any, strength: float = 1.0) -> None:
        """Show the colour."""
        background = self.node("Background", {"Color": colour, "Strength": strength})
        self.node("OutputWorld", {"Surface": background.outputs["Background"]})
