"""A small web on loopback, and the whole pipeline run on it.

vocabulary.py  words, and what they look like        dice.py      draws without state
grammar.py     scenes and their captions             paint.py     scenes -> pixels -> bytes
web.py         pages, images shown, answers          world.py     the web of a seed and a size
planting.py    every kind of fault, counted          likeness.py  only copies look alike
pages.py       pages -> HTML                         server.py    the web on one port
serving.py     the server as a process               heldout.py   what the model is evaluated on
run.py         serve, run the recipe, compare        check.py     planted versus found
"""
