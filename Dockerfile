# One image for the set-up, the simulator and the dashboard; docker-compose.yml says which of them a container runs.
FROM python:3.11.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

RUN groupadd --gid 10001 racecast \
 && useradd --uid 10001 --gid 10001 --create-home --shell /usr/sbin/nologin racecast \
 && install -d -o 10001 -g 10001 /data

WORKDIR /app

# Before the sources: these change seldom, and so the layer is kept.
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

COPY .streamlit ./.streamlit
COPY courses ./courses
COPY pinot ./pinot
COPY simulator ./simulator
COPY dashboard ./dashboard

USER 10001:10001

EXPOSE 8080 8501

# The embedded store's file and the uploaded courses: all else in the image belongs to root.
ENV RACECAST_SQLITE=/data/racecast.db
ENV RACECAST_UPLOADS=/data/uploads

# What answers here is in this container: a proxy that the host hands down has no part in it.
ENV HEALTH_URL=http://127.0.0.1:8080/healthz
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=12 \
  CMD ["python", "-c", "import os; from urllib.request import *; build_opener(ProxyHandler({})).open(os.environ['HEALTH_URL'], timeout=4)"]

CMD ["python", "-m", "simulator", "serve", "--host", "0.0.0.0"]
