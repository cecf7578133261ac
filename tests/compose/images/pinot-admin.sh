#!/bin/sh
# pinot-admin.sh StartController|StartBroker|StartServer -configFileName FILE
set -e
role=$(echo "${1#Start}" | tr '[:upper:]' '[:lower:]')
[ "$2" = -configFileName ] || { echo "the stand-in takes -configFileName alone, not $2"; exit 1; }
# shellcheck disable=SC2086  # several words are meant
exec java @/opt/pinot/pinot.jvm $JAVA_OPTS -cp '/opt/pinot/classes:/opt/pinot/lib/*' LocalPinot "$role" "$3"
