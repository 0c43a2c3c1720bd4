"""Growing Zarr v3 arrays that survive a crash, and the only door to zarr.

    rows ──▶ whole chunks ──▶ files ┐
       └──▶ tail (in memory) ───────┴─ commit: tails, fsync, rename, fsync ──▶ `ticks` in the attributes, fsync

    growing   GrowingGroup, GrowingArray   a session being written
    stored    StoredGroup, read            a session being read, and what is thought of it being changed
    durable   DurableStore                 the files of both, as they are written
    wary      the files as they are read, of a folder and of a URL
    chunks    how rows become the bytes of a chunk, and what its file is called

Decision: an unfinished chunk becomes durable by writing it again, whole, at every commit, and a commit ends by storing
the number of ticks it vouches for in the group's attributes. A file that replaces another waits under another name
until the commit has fsynced it, since the other may hold what an earlier commit vouched for. Background: zarr replaces
files atomically but does not fsync, and `Array.append` grows the shape before it writes, so a crash can leave rows that
read as zeros, which are valid actions. Readers therefore trim every (T, …) array to `ticks`; the shapes run ahead of
it, in large steps, until the session is finished. Alternative: a journal for the tail, rejected because a session would
then need our code to be read.

Decision: zarr writes the arrays' metadata; chunks and the attributes are written here, chunks byte for byte as zarr
would (a test compares them). Background: zarr hands every step of every chunk to its event loop; done that way, writing
held the interpreter's lock so much that a recording ran at half the emulator's speed.

Codecs are of Zarr's core and registered set only: `transpose` (time fastest, so that zstd sees each pixel's history),
`bytes`, `zstd`, `crc32c` (a flipped bit in a zstd chunk can decode silently wrong). All-zero chunks are stored as well:
a missing one is then a loss that shows, not a run of NOOPs.

What a stranger's session says is not believed: no file is read through a link or from outside its folder, no codec but
these decodes it, and no chunk may unpack to more than it should (see StoredGroup, which reads from URLs as well).
"""

import zarr

from recorder.store.zarr_store.chunks import Array
from recorder.store.zarr_store.durable import DurableStore
from recorder.store.zarr_store.growing import GrowingArray, GrowingGroup
from recorder.store.zarr_store.stored import MAX_ROWS, StoredGroup, read

# zarr's ZARR_ variables and zarr.yaml are for other programs: with them, a whole session would look damaged.
zarr.config.refresh(paths=[], env={})

__all__ = ["MAX_ROWS", "Array", "DurableStore", "GrowingArray", "GrowingGroup", "StoredGroup", "read"]
