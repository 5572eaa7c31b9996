#!/bin/sh
# Tasks start in the order of their submits, none is lost, and who waits for room is told; in every order of events.
# models/queue.pml, searched; the bugs planted in it must be found. See models/README.md.
exec "$SRC/models/check.sh" all queue
