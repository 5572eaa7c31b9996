#!/bin/sh
# Nobody sleeps for ever beside work or beside the end that it waits for; in every order of events.
# models/wake.pml, searched. See models/README.md.
exec "$SRC/models/check.sh" promises wake
