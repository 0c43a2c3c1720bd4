"""Growing Zarr v3 arrays that survive a crash; the only part of the program that imports zarr.

    rows ──▶ whole chunks ──▶ files ┐
       └──▶ tail (in memory) ───────┴─ commit: tails, fsync, rename, fsync ──▶ `ticks` in the attributes, fsync

    growing            GrowingGroup, GrowingArray    writing a session
    stored             StoredGroup                   reading a session, and changing its annotations
    durable            DurableStore                  writes the files of both
    untrusted_stores   UntrustedStore, RemoteStore   read the files, from a folder and from a URL
    rows               StoredArray                   rows of an array from its chunks
    chunks             ChunkCodec, chunk_key         the bytes of a chunk, and the name of its file

Decision: every commit writes the unfinished chunk again, completely, and ends by storing the number of committed ticks
in the group's attributes. A file that replaces another has another name until the commit has fsynced it, because the
old one may hold ticks of an earlier commit. Background: zarr replaces files atomically but does not fsync, and
`Array.append` grows the shape before it writes, so a crash can leave rows that read as zeros, which are valid actions.
Readers therefore trim every (T, …) array to `ticks`; until the session is finished, the shapes are larger than it and
grow in large steps. Alternative: a journal for the tail, rejected because a session could then be read only with our
code.

Decision: zarr writes and reads the arrays' metadata; this package writes attributes, and writes and reads chunks, byte
for byte as zarr would (tests compare them). Background: zarr hands every step of every chunk to its event loop; this
held the interpreter's lock so much that a recording ran at half the emulator's speed. And it reads each chunk into new
memory, twice, which takes longer than unpacking it.

Codecs are only those of Zarr's core and registered set: `transpose` (time is the fastest axis, so that zstd sees each
pixel's history), `bytes`, `zstd`, `crc32c` (a flipped bit in a zstd chunk can decode to wrong data without an error).

Decision: screens in RGB are not transposed. Background: their scenes move as a whole, and zstd finds a line of pixels
again elsewhere in the screen before (tests.benchmarks.pictures). Alternatives: with time as the fastest axis, CarRacing
takes half as much again; with a plane for each colour it takes 7 % less, but others take up to a third more.

All-zero chunks are stored as well, so that a missing chunk is an error, not a run of NOOPs.

A stranger's session is not trusted: no file is read through a link or from outside its folder, no other codec is used,
and no chunk may unpack to more than it should (see StoredGroup, which also reads from URLs).
"""

import zarr

from recorder.store.zarr_store.chunks import Array
from recorder.store.zarr_store.durable import DurableStore
from recorder.store.zarr_store.growing import GrowingArray, GrowingGroup
from recorder.store.zarr_store.rows import StoredArray
from recorder.store.zarr_store.stored import MAX_ROWS, StoredGroup

# zarr's ZARR_ variables and zarr.yaml are for other programs; with some of them an intact session would look damaged.
zarr.config.refresh(paths=[], env={})

__all__ = ["MAX_ROWS", "Array", "DurableStore", "GrowingArray", "GrowingGroup", "StoredArray", "StoredGroup"]
