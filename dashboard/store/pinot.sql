-- The queries of `PinotStore`. Their columns are in the order of dashboard/store/rows.py.
-- Pinot returns a TIMESTAMP as text in its machine's time zone, unless it is cast (to LONG: Pinot 0.11 has no BIGINT),
-- and a geometry as bytes. {newest_positions} stands for the query of that name.

-- name: races
SELECT runId, name, course, CAST(startTime AS LONG), status, competitors, speed, seed, updatedAt, request,
       cutOffs, cutOffsFrom,
       lookup('courses', 'longName', 'shortName', course)
FROM races
ORDER BY startTime DESC, runId DESC
LIMIT %(limit)s

-- name: race
SELECT runId, name, course, CAST(startTime AS LONG), status, competitors, speed, seed, updatedAt, request,
       cutOffs, cutOffsFrom,
       lookup('courses', 'longName', 'shortName', course)
FROM races
WHERE runId = %(run)s
LIMIT 1

-- name: course
SELECT shortName, longName, distance,
       ST_AsText(courseMap), ST_AsText(startLocation), ST_AsText(endLocation),
       fences, altitudes, timingPoints, widths
FROM courses
WHERE shortName = %(name)s
LIMIT 1

-- name: competitors
SELECT competitorId, name, category, wave, club, sex
FROM competitors
WHERE runId = %(run)s
LIMIT %(limit)s

-- name: competitors_every
SELECT competitorId, name, category, wave, club, sex
FROM competitors
WHERE runId = %(run)s AND MOD(competitorId, %(every)s) = 0
LIMIT %(limit)s

-- name: competitors_of
SELECT competitorId, name, category, wave, club, sex
FROM competitors
WHERE runId = %(run)s AND competitorId IN (%(bibs)s)
LIMIT %(limit)s

-- name: positions
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM parkrun
WHERE runId = %(run)s
LIMIT %(limit)s

-- name: positions_every
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM parkrun
WHERE runId = %(run)s AND MOD(competitorId, %(every)s) = 0
LIMIT %(limit)s

-- name: positions_of
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM parkrun
WHERE runId = %(run)s AND competitorId IN (%(bibs)s)
LIMIT %(limit)s

-- name: mark
SELECT MAX(emittedAt), SUM(rawTime), COUNT(*)
FROM parkrun
WHERE runId = %(run)s

-- name: mark_every
SELECT MAX(emittedAt), SUM(rawTime), COUNT(*)
FROM parkrun
WHERE runId = %(run)s AND MOD(competitorId, %(every)s) = 0

-- name: positions_at
-- Kafka delivers at least once: of an event that arrived twice, skipUpsert shows both rows.
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM parkrun
WHERE runId = %(run)s AND rawTime = %(time)s
LIMIT %(limit)s
option(skipUpsert=true)

-- name: positions_at_every
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM parkrun
WHERE runId = %(run)s AND rawTime = %(time)s AND MOD(competitorId, %(every)s) = 0
LIMIT %(limit)s
option(skipUpsert=true)

-- name: newest_positions
SELECT competitorId,
       LASTWITHTIME(lon, rawTime, 'DOUBLE'),
       LASTWITHTIME(lat, rawTime, 'DOUBLE'),
       LASTWITHTIME(distance, rawTime, 'DOUBLE'),
       LASTWITHTIME(status, rawTime, 'STRING'),
       LASTWITHTIME(elapsed, rawTime, 'DOUBLE'),
       LASTWITHTIME(emittedAt, rawTime, 'LONG')
FROM parkrun

-- name: positions_since
{newest_positions}
WHERE runId = %(run)s AND rawTime BETWEEN %(since)s AND %(time)s
GROUP BY competitorId
LIMIT %(limit)s
option(skipUpsert=true)

-- name: positions_since_every
{newest_positions}
WHERE runId = %(run)s AND rawTime BETWEEN %(since)s AND %(time)s AND MOD(competitorId, %(every)s) = 0
GROUP BY competitorId
LIMIT %(limit)s
option(skipUpsert=true)

-- name: bibs
SELECT DISTINCT competitorId
FROM passings
WHERE runId = %(run)s AND "timestamp" > %(after)s
LIMIT %(limit)s

-- name: bibs_every
SELECT DISTINCT competitorId
FROM passings
WHERE runId = %(run)s AND "timestamp" > %(after)s AND MOD(competitorId, %(every)s) = 0
LIMIT %(limit)s

-- name: passings
SELECT competitorId, kind, point, lap, distance, elapsed, CAST("timestamp" AS LONG)
FROM passings
WHERE runId = %(run)s AND "timestamp" > %(after)s AND competitorId BETWEEN %(first)s AND %(last)s
LIMIT %(limit)s

-- name: passings_every
SELECT competitorId, kind, point, lap, distance, elapsed, CAST("timestamp" AS LONG)
FROM passings
WHERE runId = %(run)s AND "timestamp" > %(after)s AND competitorId BETWEEN %(first)s AND %(last)s
      AND MOD(competitorId, %(every)s) = 0
LIMIT %(limit)s

-- name: passings_of
SELECT competitorId, kind, point, lap, distance, elapsed, CAST("timestamp" AS LONG)
FROM passings
WHERE runId = %(run)s AND "timestamp" > %(after)s AND competitorId IN (%(bibs)s)
LIMIT %(limit)s

-- name: count_passings
SELECT COUNT(*)
FROM passings
WHERE runId = %(run)s

-- name: count_arrivals
-- Spans are counted from the one in which `elapsed` is -offset.
SELECT kind, point, lap, FLOOR((elapsed + %(offset)s) / %(step)s), COUNT(*)
FROM passings
WHERE runId = %(run)s AND kind IN ('split', 'enter', 'finish')
GROUP BY kind, point, lap, FLOOR((elapsed + %(offset)s) / %(step)s)
LIMIT %(limit)s

-- name: dropped
SELECT competitorId, distance, elapsed
FROM parkrun
WHERE runId = %(run)s AND status = 'dnf'
LIMIT %(limit)s

-- name: tally
SELECT status, COUNT(*), MAX(elapsed), MAX(emittedAt), MAX(competitorId), MAX(distance), MAX(rawTime)
FROM parkrun
WHERE runId = %(run)s
GROUP BY status
LIMIT 100

-- name: front
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM parkrun
WHERE runId = %(run)s AND status IN ('running', 'paused')
ORDER BY distance DESC, competitorId
LIMIT %(limit)s

-- name: between
SELECT COUNT(*)
FROM parkrun
WHERE runId = %(run)s AND status IN ('running', 'paused') AND distance >= %(first)s AND distance < %(last)s

-- name: finishes
SELECT competitorId, elapsed, status, emittedAt
FROM parkrun
WHERE runId = %(run)s AND competitorId BETWEEN %(first)s AND %(last)s AND status IN ('finished', 'dsq')
      AND emittedAt > %(after)s
LIMIT %(limit)s

-- name: waves
SELECT competitorId, wave
FROM competitors
WHERE runId = %(run)s AND competitorId BETWEEN %(first)s AND %(last)s AND wave > 1
LIMIT %(limit)s

-- name: starts
SELECT competitorId, elapsed
FROM passings
WHERE runId = %(run)s AND competitorId BETWEEN %(first)s AND %(last)s AND kind = 'start'
LIMIT %(limit)s

-- name: count_competitors
SELECT COUNT(*)
FROM competitors
WHERE runId = %(run)s

-- name: find
SELECT competitorId, name, category, wave, club, sex
FROM competitors
WHERE runId = %(run)s AND (name LIKE %(text)s OR club LIKE %(text)s)
ORDER BY competitorId
LIMIT %(limit)s
