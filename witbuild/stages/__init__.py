"""Thin stages: parameters, plan, calls into the pure packages.

`STAGES` is the whole registry: the name in a recipe -> where its class is. A third party's stage needs no entry here:
a recipe names it as `my_package.module:MyStage`.
"""

STAGES = {
    "queries": "witbuild.stages.queries:Queries",
    "harvest": "witbuild.stages.harvest:Harvest",
    "match": "witbuild.stages.match:Match",
    "rewrite": "witbuild.stages.rewrite:Rewrite",
    "filter": "witbuild.stages.filter:Filter",
    "frequency": "witbuild.stages.frequency:Frequency",
    "dedup": "witbuild.stages.dedup:Dedup",
    "decontaminate": "witbuild.stages.decontaminate:Decontaminate",
    "balance": "witbuild.stages.balance:Balance",
    "fetch": "witbuild.stages.fetch.stage:Fetch",
    "embed": "witbuild.train.scoring.embed:Embed",
    "score": "witbuild.train.scoring.stage:Score",
    "shard": "witbuild.stages.shard:Shard",
    "train": "witbuild.train.stage:Train",
    "eval": "witbuild.train.evaluation:Eval",
    "objectives": "witbuild.train.comparison:Objectives",
}
