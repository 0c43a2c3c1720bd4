"""The one place that starts threads and processes.

    Job       a generator in a separate process; poll() returns its records                    video export
    Jobs      generators in separate processes; poll() returns the records of all              replays for training
    Service   an object in a separate process; requests go in, results come back               the clone on Watch
    Task      a function in a thread; its result is available once poll() returns True         reading a library
    run_parallel   a function over many arguments on all cores                                 evaluation
    SharedRows     memory that a Service shares with this process                              screens for a clone
    Detached  a function in a process that outlives this one; it reports through files         training

Targets are named "package.module:name", so that the parent never imports what only the child needs (mainly torch).
Processes are spawned, never forked: forking a process with threads or a GPU context is undefined. All except Detached
end with their parent, however it ends; the parent alone handles signals to the whole process group.
"""

from recorder.system.jobs.children import resolve
from recorder.system.jobs.detached import Detached
from recorder.system.jobs.failures import WorkerError
from recorder.system.jobs.pool import run_parallel
from recorder.system.jobs.processes import Job, JobLike, Jobs, JobState, Service, ServiceLike
from recorder.system.jobs.shared_rows import SharedRows
from recorder.system.jobs.threads import Task, main_thread_stack, new_lock, on_thread_failure, start_thread

__all__ = [
    "Detached",
    "Job",
    "JobLike",
    "JobState",
    "Jobs",
    "Service",
    "ServiceLike",
    "SharedRows",
    "Task",
    "WorkerError",
    "main_thread_stack",
    "new_lock",
    "on_thread_failure",
    "resolve",
    "run_parallel",
    "start_thread",
]
