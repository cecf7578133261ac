-- A correct consumer in SQL, on a table with a row for each message of the topic `parkrun` in the order of arrival,
-- and tables of the other topics. Parameters: :at (race seconds, null for the end), :window and :lateness (seconds; null:
-- windows never close).

-- name: tables
CREATE TABLE messages (
    arrival INTEGER PRIMARY KEY, eventId TEXT, competitorId INTEGER, rawTime INTEGER, timestamp INTEGER, lat REAL, lon REAL,
    distance REAL, status TEXT, elapsed REAL, emittedAt INTEGER
);
CREATE TABLE passed (competitorId INTEGER, kind TEXT, point TEXT, lap INTEGER, elapsed REAL, distance REAL,
                     PRIMARY KEY (competitorId, kind, point, lap));
CREATE TABLE entries (competitorId INTEGER PRIMARY KEY, wave INTEGER);
CREATE TABLE race (gun INTEGER, waveDelay REAL);
-- The raw reads; `elapsed` is null but for reference chips (competitor 0). The places of the mats along the course, metres.
CREATE TABLE chips (eventId TEXT PRIMARY KEY, competitorId INTEGER, reader INTEGER, kind TEXT, point TEXT, antenna TEXT,
                    timestamp INTEGER, rssi INTEGER, elapsed REAL);
CREATE TABLE mats (kind TEXT, point TEXT, nth INTEGER, distance REAL);

-- name: derived
-- Delivery is at least once: only the first message of an event counts. Its time is the race's, not the tracker's.
CREATE TABLE events AS
SELECT messages.*, gun + rawTime * 1000 AS eventTime, (wave - 1) * waveDelay AS waveGun
FROM messages JOIN race JOIN entries USING (competitorId)
WHERE arrival IN (SELECT MIN(arrival) FROM messages GROUP BY eventId);
-- The watermark moves once per second of arrival, so that the order within a second does not matter.
CREATE TABLE watermarks AS
SELECT second, MAX(highest) OVER (ORDER BY second ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
FROM (SELECT emittedAt / 1000 AS second, MAX(eventTime) AS highest FROM events GROUP BY 1);

-- name: order
WITH newest AS (
    SELECT competitorId, status, waveGun FROM events
    WHERE (competitorId, timestamp) IN (SELECT competitorId, MAX(timestamp) FROM events GROUP BY 1)
),
times AS (
    SELECT competitorId, status,
           ROUND(finish.elapsed - waveGun, 3) AS gunTime, ROUND(finish.elapsed - start.elapsed, 3) AS chipTime
    FROM newest
    LEFT JOIN passed AS start USING (competitorId)
    LEFT JOIN passed AS finish USING (competitorId)
    WHERE start.kind = 'start' AND finish.kind = 'finish'
)
SELECT competitorId,
       CASE WHEN newest.status = 'finished' THEN RANK() OVER (PARTITION BY newest.status ORDER BY gunTime) END AS place,
       newest.status AS status, gunTime, chipTime
FROM newest LEFT JOIN times USING (competitorId)

-- name: leaderboard
WITH newest AS (
    SELECT *, CASE status WHEN 'finished' THEN 0 WHEN 'running' THEN 1 WHEN 'paused' THEN 1 END AS grp FROM events
    WHERE (competitorId, timestamp) IN (
        SELECT competitorId, MAX(timestamp) FROM events WHERE :at IS NULL OR rawTime <= :at GROUP BY 1
    )
)
SELECT competitorId,
       CASE WHEN grp IS NOT NULL THEN RANK() OVER (
           ORDER BY grp NULLS LAST, CASE grp WHEN 0 THEN ROUND(elapsed - waveGun, 3) ELSE -distance END
       ) END AS place,
       status, distance, elapsed
FROM newest

-- name: positions
SELECT competitorId, rawTime, lat, lon, distance, status, elapsed FROM events
WHERE (competitorId, timestamp) IN (
    SELECT competitorId, MAX(timestamp) FROM events WHERE :at IS NULL OR rawTime <= :at GROUP BY 1
)

-- name: windows
WITH judged AS (
    SELECT *, eventTime / (1000 * :window) * 1000 * :window AS start,
           COALESCE(eventTime / (1000 * :window) * 1000 * :window + 1000 * :window <= reached - 1000 * :lateness, 0) AS late
    FROM events JOIN watermarks ON second = emittedAt / 1000
)
SELECT start, SUM(NOT late) AS events, COUNT(DISTINCT CASE WHEN NOT late THEN competitorId END) AS competitors,
       SUM(late) AS dropped,
       AVG(CASE WHEN NOT late AND status = 'running' AND distance >= 100 THEN 1000 * elapsed / distance END) AS pace
FROM judged GROUP BY start

-- name: passings
SELECT * FROM passed

-- name: dwell
SELECT came.competitorId AS competitorId, came.point AS geofence, came.lap AS lap, came.elapsed AS enter, went.elapsed AS exit,
       ROUND(went.elapsed - came.elapsed, 3) AS seconds
FROM passed AS came
LEFT JOIN passed AS went ON went.kind = 'exit' AND went.competitorId = came.competitorId AND went.point = came.point
                        AND went.lap = came.lap
WHERE came.kind = 'enter'

-- name: late
SELECT eventId, competitorId, rawTime, ROUND((reached - 1000 * COALESCE(:lateness, 0) - eventTime) / 1000.0, 3) AS behind
FROM events JOIN watermarks ON second = emittedAt / 1000
WHERE eventTime < reached - 1000 * COALESCE(:lateness, 0)

-- name: duplicates
SELECT eventId, competitorId, rawTime, COUNT(*) AS times FROM messages GROUP BY eventId HAVING times > 1

-- name: sightings
-- A reader's clock has an offset and a drift: the first and the last read of its reference chip show both.
CREATE TEMPORARY TABLE readers AS
SELECT first.reader AS reader, first.timestamp AS since, first.elapsed AS elapsed,
       (last.timestamp - first.timestamp) / (last.elapsed - first.elapsed) AS rate
FROM chips AS first JOIN chips AS last USING (reader)
WHERE first.competitorId = 0 AND last.competitorId = 0
  AND first.elapsed = (SELECT MIN(elapsed) FROM chips WHERE competitorId = 0)
  AND last.elapsed = (SELECT MAX(elapsed) FROM chips WHERE competitorId = 0);
-- A read more than 5 s after the one before begins another pass. Strays have less than -70 dBm.
CREATE TEMPORARY TABLE passes AS
WITH timed AS (
    SELECT competitorId, kind, point, antenna, rssi, readers.elapsed + (timestamp - since) / rate AS time
    FROM chips JOIN readers USING (reader) WHERE competitorId > 0 AND rssi >= -70
),
begun AS (
    SELECT *, time - LAG(time, 1, -1e9) OVER (PARTITION BY competitorId, kind, point ORDER BY time) > 5 AS begins FROM timed
)
SELECT *, SUM(begins) OVER (PARTITION BY competitorId, kind, point ORDER BY time) AS sighting FROM begun;

-- name: reads
WITH ranked AS (
    SELECT *, ROW_NUMBER() OVER pass AS nth, COUNT(*) OVER (PARTITION BY competitorId, kind, point, sighting) AS reads
    FROM passes
    WINDOW pass AS (PARTITION BY competitorId, kind, point, sighting ORDER BY antenna = 'backup', rssi DESC, time)
)
-- Everyone crosses the backup line one second after the main line.
SELECT competitorId, kind, point, sighting, ROUND(time - (antenna = 'backup'), 3) AS elapsed, reads FROM ranked WHERE nth = 1

-- name: missed
WITH seen AS (SELECT competitorId, kind, point, MAX(sighting) AS times FROM passes GROUP BY 1, 2, 3),
-- The n-th pass of a mat that is seen is the course's n-th or a later one.
furthest AS (
    SELECT competitorId, MAX(distance) AS metres FROM seen JOIN mats USING (kind, point) WHERE nth = times GROUP BY 1
),
passed AS (
    SELECT competitorId, kind, point, COUNT(*) AS passed FROM furthest JOIN mats ON distance <= metres GROUP BY 1, 2, 3
)
SELECT competitorId, kind, point, passed - COALESCE(times, 0) AS times
FROM passed LEFT JOIN seen USING (competitorId, kind, point) WHERE passed > COALESCE(times, 0)
