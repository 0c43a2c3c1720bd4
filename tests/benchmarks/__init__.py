"""Measurements that are too long, or too noisy, for the suite: `make bench`, or `python -m tests.benchmarks NAME...`.

recorder    recording at full speed, compared with plain env.step, PNG files with a CSV, and Minari's DataCollector
store       reading screens from a session, compared with PNG files and Minari's HDF5
pictures    chains of Zarr's codecs for pictures in any colours, compared with PNG files
loader      stacked samples a second, compared with tensors in memory and a DataLoader that reads one sample at a time
mixing      how diverse batches are, from all data and from a pool, compared with full shuffling and a shuffle buffer
training    batches a second of a training, compared with tensors in memory
network     what each speed-up of the end-to-end network is worth
memory      memory and temporary files of trainings on 100,000, 300,000 and 1,000,000 ticks
evaluation  games of a clone on all cores, compared with independent processes that each play alone
startup     how long commands and imports take
library     listing a thousand sessions, from the index and by opening each
kills       20 recorders killed at random moments
failures    recordings in which each call of the disk fails in turn, or after which the power is cut
mutations   1,000 damaged and malicious files
latency     from a key to the changed picture in the X server
responsive  how long the window was blocked by each action in it, with 200 sessions in the library
first       seconds of each step from an empty home to a clone beside the first take (docs/first-five-minutes.md)
realtime    minutes of play at 60 Hz in the real window, beside a training started in it on all cores (--minutes)

Without names, all except `first` and `realtime` run. With --size small each takes seconds, and only shows that it
works. With --out FILE.md the tables go into that file; each replaces the text under its heading. A whole
run adds a line to the history at its end (see `history`).
"""
