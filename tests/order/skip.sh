#!/bin/sh
# Stands in for the tests of this folder where they could not be built.
echo 'skip: relacy (relacy-dev) or a C++ compiler was not there when this was built'
exit 77
