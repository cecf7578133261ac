# Stands in for the image `apache/kafka`: the same user, folders, volumes and command, with Kafka's jars from Maven
# Central, among them the image's own KafkaDockerWrapper, which makes the configuration.
FROM racecast-stand-in-java
LABEL org.racecast.stand-in="kafka"
RUN useradd --uid 1000 --user-group --create-home appuser \
 && install -d -o appuser -g appuser /opt/kafka/config /mnt/shared/config \
 && install -d -o appuser -g root -m 775 /etc/kafka/docker /etc/kafka/secrets /var/lib/kafka/data
COPY kafka/*.jar /opt/kafka/libs/
COPY --chmod=755 kafka-run.sh /etc/kafka/docker/run
USER appuser
VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]
CMD ["/etc/kafka/docker/run"]
