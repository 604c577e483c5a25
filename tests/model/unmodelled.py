"""The steps of the C that are in no model, and why."""

UNMODELLED = {
    "horus_publisher_send__count": "a counter for tools, written after the fact; nothing is decided by it",
    "horus_publisher_join__name": "a name for people",
    "ring_scan_front__load_word": "reached in a corrupt region only: the models assert that no hint needs it",
    "horus_ring_format__ready": "before the region has its name nobody can see it",
    "enlist_user__store": "cleaning, which excludes opening by the namespace's lock",
    "horus_ring_unmap__swap": "cleaning, as above",
    "horus_member_leave__unlock": "who leaves well has left its rows: then it is as one that died there",
    "horus_member_bump__add": "the index's epoch: a count, then a wake of all (test_member.c, tests/crash)",
    "horus_member_bump__wake": "as above",
    "horus_member_epoch__load": "as above",
    "horus_member_wait__load_epoch": "as above",
    "horus_member_wait__sleep": "as above",
    "pool_chunk_create__reserve": "a chunk is seen by others once a reference to it was sent",
    "pool_chunk_create__header": "as above",
    "pool_chunk_unlink__unlink": "a name that is gone: the reference counts as overwritten",
}
