#!/bin/sh
# Writes the configuration from the ZOO_ variables, as the real image does, and runs the command.
set -e
cat > "${ZOO_CONF_DIR:-/conf}/zoo.cfg" <<EOF
dataDir=/data
dataLogDir=/datalog
tickTime=2000
autopurge.purgeInterval=${ZOO_AUTOPURGE_PURGEINTERVAL:-0}
maxClientCnxns=${ZOO_MAX_CLIENT_CNXNS:-60}
admin.enableServer=${ZOO_ADMINSERVER_ENABLED:-true}
clientPort=2181
EOF
[ -f /data/myid ] || echo 1 > /data/myid
exec "$@"
