#!/bin/sh
# zkServer.sh start-foreground FILE
set -e
exec java "-Xmx${ZK_SERVER_HEAP:-1000}m" -Dlog4j2.level=WARN -cp '/zookeeper/lib/*' \
  org.apache.zookeeper.server.quorum.QuorumPeerMain "$2"
