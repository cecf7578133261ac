# Stands in for the image `zookeeper`: the same users, folders, volumes, variables and command, with the ZooKeeper
# that comes with Pinot's jars.
FROM racecast-stand-in-java
LABEL org.racecast.stand-in="zookeeper"
RUN groupadd --gid 1000 zookeeper && useradd --uid 1000 --gid 1000 zookeeper \
 && install -d -o 1000 -g 1000 /conf /data /datalog /logs
COPY pinot/*.jar /zookeeper/lib/
COPY --chmod=755 zookeeper-entrypoint.sh /docker-entrypoint.sh
COPY --chmod=755 zkServer.sh /usr/local/bin/
VOLUME ["/data", "/datalog", "/logs"]
ENTRYPOINT ["/docker-entrypoint.sh"]
