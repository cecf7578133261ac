# Stands in for the image `apachepinot/pinot`: the same folders, volumes and command line, with Pinot 0.11, the newest
# that is whole on Maven Central.
FROM racecast-stand-in-java
LABEL org.racecast.stand-in="pinot"
RUN install -d /opt/pinot/configs /opt/pinot/data /opt/pinot/plugins
COPY pinot/*.jar /opt/pinot/lib/
COPY classes /opt/pinot/classes
COPY pinot.jvm /opt/pinot/
COPY --chmod=755 pinot-admin.sh /opt/pinot/bin/
VOLUME ["/opt/pinot/configs", "/opt/pinot/data"]
WORKDIR /opt/pinot
ENTRYPOINT ["./bin/pinot-admin.sh"]
