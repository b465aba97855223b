"""Scores of pairs by models: how well image and caption agree, and what small heads say of the image.

    images, captions ─ clip.py: a model of open_clip's form ─> unit features ─┬─ cosine ─> clip_score
                                                                              └─ heads.py ─> unsafe_score, ...

embed.py   the stage `embed`: the image's features themselves, for dedup
stage.py   the stage `score`: parameters, and pairs in batches
seeing.py  what both share: the parameters of the model
clip.py    the model, from a folder or from open_clip by name
heads.py   stacks of linear layers, from the files in which LAION publishes them
"""
