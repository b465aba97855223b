"""Questions about finished runs, and changes to them: where a pair came from and went, what differs, what must go.

trace.py     a key -> its rows, step by step, and where and why it left
explain.py   a key -> all that a run knows of it: trace, queries.py, duplicates.py, place.py
diff.py      two runs -> what differs: parameters, rows, keys
takedown.py  a request -> shards without what it names, tombstones, proof
"""
