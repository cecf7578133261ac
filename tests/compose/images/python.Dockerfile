# Stands in for the image `python:3.11-slim`: Debian's Python of the same version with pip, as `python`. It trusts the
# certificates of the machine that builds it.
FROM racecast-stand-in-java
LABEL org.racecast.stand-in="python"
COPY ca-certificates.crt /etc/ssl/certs/
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
RUN python3 -m venv /usr/local
CMD ["python"]
