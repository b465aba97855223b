"""Fetch: download the images of pairs, politely; check, shrink and re-encode them.

    pairs ─ route ─> pairs, sliced by registered domain ─ download ─> pairs with their images' columns
                                                             ├─> images    a tar a task: KEY.jpg by key
                                                             ├─> fetches   a row for every pair that came in
                                                             └─> visits    when each URL was asked for

stage.py       the stage; nothing is imported here, for the processes that decode need little of all this
parameters.py  what there is to choose
route.py       a registered domain lies in one slice, so one process minds a host (law 7)
download.py    a task a slice
pipeline.py    in a task: many hosts at once -> bodies -> processes that decode -> journal
decoders.py    the processes that decode; process.py: one of them, seen from here
decoding.py    what it does, within limits;  make.py: the image of a body
warm.py        what they import once, for all;  lean.py  what they then give back
quarantine.py  bodies that broke their decoder
memory.py      bodies and requests held back by bytes;  seen.py  what is known of an answer
watch.py       how far it is, for who looks meanwhile;  forecast.py  what it would cost
journal.py     what is done, for the attempt after a kill
recall.py      what an earlier run found out;  revalidate.py  its images, asked for again in case they changed
collect.py     journal -> tar and tables, in the order of keys, whatever order the network gave
"""
