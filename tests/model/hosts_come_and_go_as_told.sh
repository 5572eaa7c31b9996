#!/bin/sh
# Hosts come, stand by, take over, die and end with supervisor and owner, and no future waits for ever; in every order.
# models/life.pml, searched; the bugs planted in it must be found. See models/README.md.
exec "$SRC/models/check.sh" all life
