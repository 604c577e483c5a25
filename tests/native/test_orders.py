"""The tables of memory orders (docs/protocol.md, section 6) say what the C does, access by access."""

from pathlib import Path

from . import orders

# Not one of the protocol's accesses, but of each kind that the reader of the C must understand.
SAMPLE = """
static bool look(const ring *r, uint64_t n) {
    uint64_t *at = &slot_of(r, n)->word, word = horus_load_acquire(at); /* horus_load_relaxed(at) */
    horus_fence_release();
    __atomic_fetch_and(&block->meta->holds[i / 64],
                       ~bit, __ATOMIC_RELEASE);
    return horus_cas_acq_rel(&slot_of(r, f(n, 1))->word, &word, 0);
}
"""


def test_every_access_of_the_code_is_in_the_tables_and_the_other_way_round():
    """Function, memory, kind of access and order agree; no row is of an access that is gone."""
    assert orders.differences() == []


def test_the_reader_of_the_code_finds_accesses():
    """Pointers through locals, calls and indexes are told apart, comments are none."""
    assert set(orders.accesses_of(SAMPLE, "ring")) == {
        orders.Access("ring", "word", "load", "look", "acquire"),
        orders.Access("ring", "fence", "fence", "look", "release"),
        orders.Access("ring", "holds", "and", "look", "release"),
        orders.Access("ring", "word", "swap", "look", "acq_rel"),
    }


def test_no_access_of_the_code_escapes_the_reader():
    """As many accesses are found in functions as the sources have in all: none stands where none is looked for."""
    for path in sorted(orders.SOURCES.glob("*.[ch]")):
        source = orders.without_comments(path.read_text(encoding="utf-8"))
        inside = sum(len(orders.ACCESS.findall(text)) for _, text in orders.functions(source))
        assert inside == len(orders.ACCESS.findall(source)), Path(path).name


def test_a_changed_order_is_noticed():
    """A relaxed claim is another access than the tables have."""
    weak = SAMPLE.replace("horus_cas_acq_rel", "horus_cas_relaxed").replace(
        "__ATOMIC_RELEASE", "__ATOMIC_RELAXED"
    )
    found = set(orders.accesses_of(weak, "ring"))
    assert orders.Access("ring", "holds", "and", "look", "relaxed") in found
    assert not any(access.kind == "swap" and access.order == "acq_rel" for access in found)
