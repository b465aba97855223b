"""Plan, run, resume, seal: from a recipe to a run directory.

steps.py     recipe -> the numbered steps of a run, each with the inputs that it reads
identity.py  a step and what is upstream of it -> its fingerprint
execute.py   one task, in a worker: process, check the laws, publish
run.py       all steps in order: resume what is there, run what is missing, seal what is whole
"""

from witbuild.runner.run import Progress, Settings, run_recipe

__all__ = ["Progress", "Settings", "run_recipe"]
