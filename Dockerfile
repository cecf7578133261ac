# One image for the set-up, the simulator and the dashboard; docker-compose.yml selects the command.
FROM python:3.11.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

RUN groupadd --gid 10001 racecast \
 && useradd --uid 10001 --gid 10001 --create-home --shell /usr/sbin/nologin racecast \
 && install -d -o 10001 -g 10001 /data

WORKDIR /app

# Before the sources: requirements change rarely, so the layer is cached.
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

COPY .streamlit ./.streamlit
COPY courses ./courses
COPY stream ./stream
COPY pinot ./pinot
COPY simulator ./simulator
COPY dashboard ./dashboard

USER 10001:10001

EXPOSE 8080 8501

# The embedded store's file and the uploaded courses; everything else in the image belongs to root.
ENV RACECAST_SQLITE=/data/racecast.db
ENV RACECAST_UPLOADS=/data/uploads

CMD ["python", "-m", "simulator", "serve", "--host", "0.0.0.0"]
