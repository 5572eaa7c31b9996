/*
 * Who sees the word that is stored last sees everything that was stored before it: results, orders, fates, requests and
 * the rest. And memory that is given back is not written to while it is still read.
 * Broken by: a release or an acquire that is none.
 */
#include "explorer.hpp"

enum how { BY_STORE, BY_SWAP };

/* The data are no atomics: relacy reports also a read that merely may meet a write. */
template <label told, label seen, how how_told>
struct message : rl::test_suite<message<told, seen, how_told>, 2> {
    word              flag;
    rl::var<unsigned> data;

    void before()
    {
        flag.is(0);
        data($) = 0u;
    }

    void thread(unsigned number)
    {
        if (number == 0) {
            data($) = 1u;
            if (how_told == BY_SWAP)
                flag.swap(0, 1, told);
            else
                flag.store(1, told);
        } else if (flag.load(seen) != 0) {
            RL_ASSERT(data($) == 1u);
        }
    }
};

/* The other way round: what was read before the release is not overwritten after it. */
struct reuse : rl::test_suite<reuse, 2> {
    word              claim;
    rl::var<unsigned> result;

    void before()
    {
        claim.is(1); /* done: the result lies there */
        result($) = 1u;
    }

    void thread(unsigned number)
    {
        if (number == 0) {
            RL_ASSERT(result($) == 1u);
            claim.store(0, result_released);
        } else if (claim.load(result_reuse) == 0) {
            result($) = 2u;
        }
    }
};

/* A slot that is used again: an old entry of the queue names it, so the tail tells nothing about its order. */
struct again : rl::test_suite<again, 3> {
    word              claim;
    rl::var<unsigned> order;
    word              worker; /* so that only one of them reads */

    void before()
    {
        claim.is(0);
        worker.is(0);
        order($) = 0u;
    }

    void thread(unsigned number)
    {
        if (number == 0) {
            order($) = 7u;
            claim.store(1, submit);
        } else if (claim.load(claim_look) == 1) {
            RL_ASSERT(order($) == 7u);
        }
    }
};

/* The claim is there before begun, the intent before the claim: who finds otherwise takes the word for overwritten. */
struct desk : rl::test_suite<desk, 2> {
    word intent, claim_word, begun;

    void before()
    {
        intent.is(0);
        claim_word.is(0);
        begun.is(0);
    }

    void thread(unsigned number)
    {
        if (number == 0) {
            intent.is(1);
            claim_word.swap(0, 1, claim);
            begun.store(1, desk_begun);
            return;
        }
        if (claim_word.load(audit_claim) != 0)
            RL_ASSERT(intent.quietly() == 1);
        if (begun.load(desk_orphan) != 0)
            RL_ASSERT(claim_word.quietly() == 1);
    }
};

#define MESSAGE(told, seen, how) explore<message<told, seen, how>>(#told " and " #seen, {told, seen})

int main()
{
    MESSAGE(publish, harvest, BY_SWAP);
    MESSAGE(fate_told, fate_read, BY_STORE);
    MESSAGE(log_told, log_read, BY_STORE);
    MESSAGE(fate_log_told, fate_log_read, BY_STORE);
    MESSAGE(returned_told, returned_seen, BY_SWAP);
    MESSAGE(request_sent, request_taken, BY_STORE);
    MESSAGE(request_decided, request_awaited, BY_STORE);
    MESSAGE(words_said, words_read, BY_STORE);
    MESSAGE(birth_told, birth_seen, BY_STORE);
    MESSAGE(host_ready, spawn_ready, BY_STORE);
    MESSAGE(spawn_activate, worker_active, BY_STORE);
    MESSAGE(pool_state, pool_opened, BY_STORE);
    MESSAGE(breaker_open, breaker_look, BY_STORE);
    MESSAGE(queue_push, queue_claim, BY_STORE);
    MESSAGE(bell_ring, bell_heard, BY_SWAP);
    MESSAGE(lanes_told, lanes_seen, BY_SWAP);
    MESSAGE(stream_ring, stream_watch, BY_SWAP);
    MESSAGE(map_begun, map_hand, BY_STORE);
    MESSAGE(favour_given, favour_seen, BY_STORE); /* whose record it is */
    explore<reuse>("a result's memory is used again", {result_released, result_reuse});
    explore<again>("a slot is used again", {submit, claim_look});
    explore<desk>("what a desk says", {claim, audit_claim, desk_begun, desk_orphan});
    return explored_all();
}
