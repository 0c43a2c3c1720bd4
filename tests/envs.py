"""Environments that do not ship with Twinplay, each a file that a test puts where the user's own lie."""

from __future__ import annotations

PONG = """
title = "Pong"
backend = "atari"
env_id = "ALE/Pong-v5"
kwargs = { frameskip = 1, repeat_action_probability = 0.0 }
rate_hz = 60.0
episode_ticks = 1_500
points = true

[observation]
kind = "screen"
shape = [210, 160, 3]
dtype = "uint8"
pixel_aspect = 1.7142857142857142
playfield = [34, 194]

[action]
dtype = "uint8"
names = ["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"]
serve = "FIRE"

[controls]
LEFT = ["ArrowDown", "KeyS"]
FIRE = ["Space"]
RIGHT = ["ArrowUp", "KeyW"]

[chords]
RIGHTFIRE = ["RIGHT", "FIRE"]
LEFTFIRE = ["LEFT", "FIRE"]

[start]
noops = 30
moves = ["RIGHT", "LEFT"]
move_ticks = 30
"""

CARTPOLE = """
title = "Cart and pole"
backend = "gymnasium"
env_id = "CartPole-v1"
rate_hz = 50.0
episode_ticks = 500

[observation]
kind = "vector"
shape = [4]
dtype = "float32"
names = ["position", "speed", "angle", "turning"]

[action]
dtype = "uint8"
names = ["LEFT", "RIGHT"]
mirror = ["RIGHT", "LEFT"]

[controls]
LEFT = ["ArrowLeft"]
RIGHT = ["ArrowRight"]
"""
