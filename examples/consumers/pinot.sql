-- The queries of a correct consumer on Apache Pinot. They need no joins and no window functions, which older versions
-- lack. skipUpsert shows all messages of `parkrun`, not only the newest position of each competitor.

-- name: race
SELECT CAST(startTime AS LONG) AS startTime, request FROM races WHERE runId = %(run)s LIMIT 1

-- name: entries
SELECT competitorId, wave FROM competitors WHERE runId = %(run)s LIMIT %(limit)s

-- name: passings
SELECT competitorId, kind, point, lap, elapsed, distance FROM passings WHERE runId = %(run)s LIMIT %(limit)s

-- name: newest
-- The upsert keeps the position with the highest `timestamp`, however late it arrives.
SELECT competitorId, rawTime, lat, lon, distance, status, elapsed FROM parkrun WHERE runId = %(run)s LIMIT %(limit)s

-- name: newest_until
-- Without names for the columns, because Pinot takes those in WHERE, too.
SELECT competitorId,
       LASTWITHTIME(rawTime, "timestamp", 'INT'),
       LASTWITHTIME(lat, "timestamp", 'DOUBLE'),
       LASTWITHTIME(lon, "timestamp", 'DOUBLE'),
       LASTWITHTIME(distance, "timestamp", 'DOUBLE'),
       LASTWITHTIME(status, "timestamp", 'STRING'),
       LASTWITHTIME(elapsed, "timestamp", 'DOUBLE')
FROM parkrun
WHERE runId = %(run)s AND rawTime <= %(until)s
GROUP BY competitorId
LIMIT %(limit)s
option(skipUpsert=true, numGroupsLimit=%(limit)s)

-- name: distinct
-- Delivery is at least once: an event counts when it is published first. Its repeats have the same values.
SELECT eventId, competitorId, rawTime, status, distance, elapsed, MIN(emittedAt)
FROM parkrun
WHERE runId = %(run)s
GROUP BY eventId, competitorId, rawTime, status, distance, elapsed
ORDER BY MIN(emittedAt)
LIMIT %(limit)s
option(skipUpsert=true, numGroupsLimit=%(limit)s)

-- name: duplicates
SELECT eventId, competitorId, rawTime, COUNT(*) AS times
FROM parkrun
WHERE runId = %(run)s
GROUP BY eventId, competitorId, rawTime
HAVING COUNT(*) > 1
LIMIT %(limit)s
option(skipUpsert=true, numGroupsLimit=%(limit)s)
