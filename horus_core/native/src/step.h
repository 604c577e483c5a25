/* The steps of the protocol, by name: `function__access`, the access that comes next. A build with
 * -DHORUS_STEPS calls horus_step() at each, which tests/steps.c uses to widen the windows between two steps,
 * or to kill or stop the process there; any other build has nothing there. The models in tests/model name the
 * same steps. */
#ifndef HORUS_STEP_H
#define HORUS_STEP_H

#define HORUS_STEP_LIST(X)                                                                                   \
    /* send.c */                                                                                             \
    X(claim__load_hint)                                                                                      \
    X(claim__load_word)                                                                                      \
    X(may_reclaim__look)                                                                                     \
    X(claim__swap)                                                                                           \
    X(claim__count_void)                                                                                     \
    X(slot_count_void__load_word)                                                                            \
    X(slot_count_void__swap)                                                                                 \
    X(pass_writer__swap)                                                                                     \
    X(pass_writer__count_void)                                                                               \
    X(horus_publisher_send__store_hint)                                                                      \
    X(horus_publisher_send__write)                                                                           \
    X(ring_copy_in__middle)                                                                                  \
    X(horus_publisher_send__commit)                                                                          \
    X(let_go__swap)                                                                                          \
    X(wake_sleepers__load_futex)                                                                             \
    X(horus_publisher_send__count)                                                                           \
    /* recv.c */                                                                                             \
    X(walk__load_word)                                                                                       \
    X(catch_up__load_hint)                                                                                   \
    X(lose_patience__look_behind)                                                                            \
    X(lose_patience__swap)                                                                                   \
    X(lose_patience__count_void)                                                                             \
    X(settle_slot__load_word)                                                                                \
    X(slot_voids__load)                                                                                      \
    X(slot_voids__look_again)                                                                                \
    X(horus_subscriber_recv__load_voids)                                                                     \
    X(ring_read_slot__copy)                                                                                  \
    X(ring_copy_out__middle)                                                                                 \
    X(ring_read_slot__look_again)                                                                            \
    /* ring.c */                                                                                             \
    X(horus_ring_format__ready)                                                                              \
    X(enlist_user__store)                                                                                    \
    X(horus_ring_unmap__swap)                                                                                \
    X(horus_ring_front__load_hint)                                                                           \
    X(ring_front_from__load_word)                                                                            \
    X(ring_scan_front__load_word)                                                                            \
    X(horus_ring_wake__load_futex)                                                                           \
    X(horus_ring_wake__swap)                                                                                 \
    X(horus_ring_wake__wake)                                                                                 \
    /* observe.c */                                                                                          \
    X(horus_ring_peek__load_word)                                                                            \
    X(newest__load_word)                                                                                     \
    X(raise_sleep_bit__load_futex)                                                                           \
    X(raise_sleep_bit__swap)                                                                                 \
    X(horus_subscriber_wait_begin__look)                                                                     \
    X(horus_subscriber_wait_begin__look_stuck)                                                               \
    X(horus_wait_sleep__sleep)                                                                               \
    /* rows.c */                                                                                             \
    X(claim_row__load_who)                                                                                   \
    X(claim_row__swap)                                                                                       \
    X(sweep__load_word)                                                                                      \
    X(sweep__swap)                                                                                           \
    X(sweep__count_void)                                                                                     \
    X(horus_publisher_join__name)                                                                            \
    X(horus_publisher_leave__free)                                                                           \
    X(learn_tallies__load_word)                                                                              \
    X(last_below__load_word)                                                                                 \
    /* member.c */                                                                                           \
    X(take_row__lock)                                                                                        \
    X(take_row__raise)                                                                                       \
    X(horus_member_leave__unlock)                                                                            \
    X(horus_member_alive__generation)                                                                        \
    X(horus_member_alive__lock)                                                                              \
    X(horus_member_lock_index__lock)                                                                         \
    X(horus_member_unlock_index__unlock)                                                                     \
    X(horus_member_bump__add)                                                                                \
    X(horus_member_bump__wake)                                                                               \
    X(horus_member_epoch__load)                                                                              \
    X(horus_member_wait__load_epoch)                                                                         \
    X(horus_member_wait__sleep)                                                                              \
    /* pool_chunk.c */                                                                                       \
    X(pool_chunk_create__reserve)                                                                            \
    X(pool_chunk_create__header)                                                                             \
    X(pool_chunk_unlink__unlink)                                                                             \
    X(pool_chunk_map__open)                                                                                  \
    /* pool_recycle.c, pool_writer.c */                                                                      \
    X(claim_block__look)                                                                                     \
    X(claim_block__raise)                                                                                    \
    X(claim_block__look_again)                                                                               \
    X(hand_out__length)                                                                                      \
    /* pool_newcomer.c, pool_reader.c */                                                                     \
    X(clear_my_bits__clear)                                                                                  \
    X(take_bit__filter)                                                                                      \
    X(take_bit__set)                                                                                         \
    X(take_bit__look_again)                                                                                  \
    X(take_bit__undo)                                                                                        \
    X(drop_bit__clear)                                                                                       \
    X(hold_foreign__load_length)                                                                             \
    /* pool_reap.c */                                                                                        \
    X(clear_holds__clear)

#define HORUS_STEP_NAME(name) STEP_##name,
enum horus_step_id { HORUS_STEP_LIST(HORUS_STEP_NAME) STEP_COUNT };
#undef HORUS_STEP_NAME

#ifdef HORUS_STEPS
void horus_step(enum horus_step_id step);
#define STEP(name) horus_step(STEP_##name)
#else
#define STEP(name) ((void)0)
#endif

#endif
