"""How each blueprint is simulated: a module of the blueprint's name with `world(seed)` and `build(world)`.

`python -m crmbridge simulate BLUEPRINT` finds it by that name.
"""
