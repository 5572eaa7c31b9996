/*
 * A stream of parts: the owner takes each part whole, from the position on that its start says, and a place in the ring is
 * written to again only when what lay there was copied. What a dead host left is read from a note, or not at all: a note
 * that is written over meanwhile is never taken for the one that was there.
 * Broken by: a head that is told before its part is there, a copy that is still going on when it is said to be taken, a
 * note that is read half old and half new.
 */
#include "explorer.hpp"

/* A ring with one place for two parts. The host begins the stream, gives one part, and the next one when there is room. */
struct ring : rl::test_suite<ring, 2> {
    word              whose, head, taken;
    rl::var<unsigned> base, place;

    void before()
    {
        whose.is(0);
        head.is(0);
        taken.is(0);
        base($) = 0u;
        place($) = 0u;
    }

    void give(unsigned part)
    {
        if (part - taken.load(stream_room) > 1)
            return;
        place($) = part;
        head.store(part, stream_told);
    }

    void take(unsigned part)
    {
        if (head.load(stream_seen) < part)
            return;
        RL_ASSERT(place($) == part);
        taken.store(part, stream_take);
    }

    void thread(unsigned number)
    {
        if (number == 0) {
            base($) = 7u;
            whose.store(1, stream_begun);
            give(1);
            give(2);
        } else if (whose.load(stream_whose) == 1) {
            RL_ASSERT(base($) == 7u);
            take(1);
            if (taken.quietly() == 1)
                take(2);
        }
    }
};

/* The host has ended the task, and uses the memory of its ring for something else once all was taken. */
struct after_all : rl::test_suite<after_all, 2> {
    word              taken;
    rl::var<unsigned> place;

    void before()
    {
        taken.is(0);
        place($) = 1u;
    }

    void thread(unsigned number)
    {
        if (number == 0) {
            RL_ASSERT(place($) == 1u);
            taken.store(1, stream_take);
        } else if (taken.load(parts_reuse) == 1) {
            place($) = 2u;
        }
    }
};

/* Two places for notes, of which the one that was made last counts; each note is two words that belong together. */
struct notes : rl::test_suite<notes, 2> {
    enum { PLACES = 2 };
    word from[PLACES], to[PLACES], count;

    void before()
    {
        from[0].is(1);
        to[0].is(1);
        from[1].is(0);
        to[1].is(0);
        count.is(1);
    }

    void note(unsigned number)
    {
        fence(past_reuse);
        from[(number - 1) % PLACES].is(number);
        to[(number - 1) % PLACES].is(number);
        count.store(number, past_told);
    }

    void thread(unsigned number)
    {
        if (number == 0) {
            note(2);
            note(3);
            return;
        }
        unsigned made = count.load(past_seen);
        unsigned says_from = from[(made - 1) % PLACES].quietly(), says_to = to[(made - 1) % PLACES].quietly();
        fence(past_again);
        if (count.load(past_seen) == made)
            RL_ASSERT(says_from == made && says_to == made);
    }
};

/* The supervisor notes what a host left, makes the task pending, and another host starts it: whoever sees that start knows
 * of the note. The swap that makes it pending stands for one of recover.c, none of which is weaker. */
struct later_start : rl::test_suite<later_start, 3> {
    enum { ENDED = 1, PENDING, RUNNING };
    word claim_word, count;

    void before()
    {
        claim_word.is(ENDED);
        count.is(0);
    }

    void thread(unsigned number)
    {
        if (number == 0) {
            count.store(1, past_told);
            claim_word.store(PENDING, fate_told);
        } else if (number == 1) {
            claim_word.swap(PENDING, RUNNING, claim);
        } else if (claim_word.load(stream_word) == RUNNING) {
            RL_ASSERT(count.load(past_seen) == 1);
        }
    }
};

/* The supervisor notes what a host left, and only then charges its start: who sees the charge sees the note. */
struct charged_start : rl::test_suite<charged_start, 2> {
    word charged, count;

    void before()
    {
        charged.is(0);
        count.is(0);
    }

    void thread(unsigned number)
    {
        if (number == 0) {
            count.store(1, past_told);
            charged.store(1, care_charged);
        } else if (charged.quietly() == 1) {
            fence(stream_attempt);
            RL_ASSERT(count.load(past_seen) == 1);
        }
    }
};

int main()
{
    explore<ring>("parts in a ring", {stream_begun, stream_whose, stream_told, stream_seen, stream_take, stream_room});
    explore<after_all>("the memory of a ring is used again", {stream_take, parts_reuse});
    explore<notes>("a note is written over", {past_told, past_seen, past_again, past_reuse});
    explore<charged_start>("a start is charged", {care_charged, stream_attempt});
    explore<later_start>("a task starts again", {fate_told, stream_word});
    return explored_all();
}
