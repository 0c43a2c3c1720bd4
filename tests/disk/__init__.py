"""Disks that fail, for tests of what is recorded on them.

calls       Calls: every open, write, fsync, rename, mkdir and unlink of a recording
take        one short take whose every run makes the same calls in the same order
failures    the n-th call fails: n = 1, 2, … until a run passes (as SQLite tests its I/O errors)
power_cut   what a disk may hold after a power cut at any of these calls (as ALICE and CrashMonkey do)
"""
