#!/bin/sh
# Each bug planted in models/wake.pml lets somebody sleep for ever, and the search finds it.
exec "$SRC/models/check.sh" planted wake
