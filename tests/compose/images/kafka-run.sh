#!/bin/sh
# Makes configuration and storage by the image's own wrapper class, and runs Kafka.
set -e
[ -w /opt/kafka/config ] || { echo "/opt/kafka/config file not writable"; exit 1; }
made=$(java -cp '/opt/kafka/libs/*' kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \
  --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1) \
  || echo "$made" | grep -i "already formatted" || { echo "$made"; exit 1; }
# shellcheck disable=SC2086  # several words are meant
exec java $KAFKA_HEAP_OPTS -Dlog4j.configuration=file:/opt/kafka/config/log4j.properties -cp '/opt/kafka/libs/*' \
  kafka.Kafka /opt/kafka/config/server.properties
