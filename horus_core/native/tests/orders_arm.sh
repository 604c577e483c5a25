#!/bin/sh
# What became of the memory orders on aarch64: the order of instructions that docs/protocol.md, section 6, depends on,
# in the code as it is shipped, with exclusive pairs (ARMv8.0) and with single compare-and-swap instructions
# (ARMv8.1). tests/native/orders_arm.py looks at each access by itself.
set -eu
native=$(dirname "$0")/..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The ordering instructions and 8-byte accesses of one function, in a line.
orders() { # file, function
    aarch64-linux-gnu-objdump -d "$work/$1.o" |
        awk -v start="<$2>:" '$2 == start { on = 1; next } /^$/ { on = 0 } on { print $3, $4 }' |
        grep -oE '^(ldar|ldaxr|ldxr|stlr|stlxr|stxr|casal|casa|casl|cas|swpal|swpl|swpa|swp|ld(add|set|clr)(al|a|l)?|st(add|set|clr)l?|dmb ish(ld)?|ldr x|str x)' |
        tr -d ' ' | tr '\n' ' '
}

expect() { # what, file, function, pattern
    if orders "$2" "$3" | grep -qE "$4"; then
        echo "$variant: $1"
    else
        echo "$variant: not found: $1 ($3: expected $4, got: $(orders "$2" "$3"))" >&2
        exit 1
    fi
}

for variant in armv8-a+nolse armv8.1-a; do
    for file in send recv observe ring rows member pool_reader pool_recycle pool_reap; do
        aarch64-linux-gnu-gcc -std=gnu11 -O2 -I"$native/include" -march="$variant" -mno-outline-atomics -fno-inline-small-functions \
            -c "$native/src/$file.c" -o "$work/$file.o"
    done
    swap='(casal |ldaxr stlxr )'
    expect 'the hint and the word are loaded with acquire; the claim is acquire and release' \
        send horus_publisher_send "ldar .*ldar .*$swap"
    expect 'the hint is stored with release, and a fence stands before the payload' \
        send horus_publisher_send 'stlr (ldrx )*dmbish .*strx'
    expect 'the commit is followed by the load of the futex word, both sequentially consistent' \
        send horus_publisher_send "dmbish .*$swap.*ldar"
    expect 'the payload is written by plain 8-byte stores' send ring_copy_in '^(ldrx |strx )+$'
    expect 'the payload is read by plain 8-byte loads' recv ring_copy_out '^(ldrx |strx )+$'
    expect 'a fence stands between the copy and the second look' recv ring_read_slot '(dmbishld ldrx|dmbishld .*ldrx)'
    expect 'the reader loads the word with acquire' recv walk 'ldar'
    expect 'the sleeper sets its bit by a swap' observe raise_sleep_bit "$swap"
    expect 'then it fences, and looks' observe horus_subscriber_wait_begin 'dmbish .*ldar'
    expect 'the same for one who sleeps on several topics' observe horus_ring_wait_begin 'dmbish '
    expect 'a sweep is acquire and release' rows horus_publisher_join "ldar .*$swap"
    expect 'a generation is raised with release, and the pid follows it with release' member open_member 'ldar .*stlr stlr'
    expect 'a hold is set, then the generation looked at again' pool_reader horus_pool_hold '(ldsetal |ldaxr stlxr )ldar'
    expect 'a hold is cleared with release' pool_reader pool_let_go '(ldclrl|ldxr stlxr)'
    expect 'the generation is raised by an exchange' pool_recycle claim_block '(swpal|ldaxr stlxr)'
    expect 'the holds are looked at with acquire' pool_reap pool_held 'ldar'
done
