-- The queries of `SqlStore` on SQLite. Their columns are in the order of dashboard/store/rows.py.

-- name: races
SELECT races.runId, races.name, races.course, races.startTime, races.status, races.competitors, races.speed, races.seed,
       races.updatedAt, races.request, courses.longName
FROM races LEFT JOIN courses ON courses.shortName = races.course
ORDER BY races.startTime DESC, races.runId DESC
LIMIT :limit

-- name: race
SELECT races.runId, races.name, races.course, races.startTime, races.status, races.competitors, races.speed, races.seed,
       races.updatedAt, races.request, courses.longName
FROM races LEFT JOIN courses ON courses.shortName = races.course
WHERE races.runId = :run

-- name: course
SELECT shortName, longName, distance, courseMap, startLocation, endLocation, fences, altitudes, timingPoints
FROM courses
WHERE shortName = :name

-- name: competitors
SELECT competitorId, name, category, wave, club, sex
FROM competitors
WHERE runId = :run
LIMIT :limit

-- name: positions
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM parkrun
WHERE runId = :run
LIMIT :limit

-- name: mark
SELECT MAX(emittedAt), SUM(rawTime), COUNT(*)
FROM parkrun
WHERE runId = :run

-- name: positions_at
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM parkrun_history
WHERE runId = :run AND rawTime = :time
LIMIT :limit

-- name: positions_since
-- Beside MAX(), SQLite takes the other columns from the row with the maximum.
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM (
    SELECT *, MAX(rawTime)
    FROM parkrun_history
    WHERE runId = :run AND rawTime BETWEEN :since AND :time
    GROUP BY competitorId
)
LIMIT :limit

-- name: passings
-- A row for each point: making objects of millions of rows takes longer than reading them, and holds Python's lock.
SELECT kind, point, lap, MAX(distance), MAX(timestamp), GROUP_CONCAT(competitorId), GROUP_CONCAT(elapsed)
FROM passings
WHERE runId = :run AND timestamp > :after
GROUP BY kind, point, lap

-- name: count_passings
SELECT COUNT(*)
FROM passings
WHERE runId = :run
