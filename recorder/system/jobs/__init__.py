"""The one place that starts threads and processes.

    Job       a generator in a process of its own; its records arrive by poll()       training, filming
    Service   an object in a process of its own; requests go in, results come back    the clone while one watches
    Task      a function in a thread of its own; its result is there once poll() says so       reading a library
    run_parallel   a function over many arguments on all cores                        evaluation
    Detached  a function in a process that outlives this one; it tells what it does in files   training

Targets are named "package.module:name", so that the parent never imports what only the child needs (torch, above all).
Processes are spawned, never forked: a fork of a process with threads or a GPU context is undefined. All but
Detached end with their parent, however that ends, and leave it to say what a signal to the whole process group means.
"""

from recorder.system.jobs.children import resolve
from recorder.system.jobs.detached import Detached
from recorder.system.jobs.failures import WorkerError
from recorder.system.jobs.pool import run_parallel
from recorder.system.jobs.processes import Job, JobLike, JobState, Service, ServiceLike
from recorder.system.jobs.threads import Task, main_thread_stack, new_lock, on_thread_failure, start_thread

__all__ = [
    "Detached",
    "Job",
    "JobLike",
    "JobState",
    "Service",
    "ServiceLike",
    "Task",
    "WorkerError",
    "main_thread_stack",
    "new_lock",
    "on_thread_failure",
    "resolve",
    "run_parallel",
    "start_thread",
]
