#!/bin/bash
# The entry point of the runner's container.
set -e

endpoint="node --no-warnings --conditions=@quicwire/source /quicwire/interop/endpoint/main.ts"

# What is not supported is said before anything is waited for: nobody else may be there.
$endpoint --supported || exit $?

/setup.sh
if [ "$ROLE" = client ]; then /wait-for-it.sh sim:57832 -s -t 30; fi
exec $endpoint
