-- The queries of `SqlStore` on SQLite. Their columns are in the order of dashboard/store/rows.py.
-- {chosen} stands for the query of that name.
--
-- Queries of some competitors look up each bib by the primary key: CROSS JOIN makes SQLite begin with the bibs.

-- name: chosen
-- The multiples of :every, up to the last bib.
WITH RECURSIVE chosen(value) AS (
    SELECT :every
    UNION ALL
    SELECT value + :every FROM chosen
    WHERE value + :every <= (
        SELECT MAX(bib) FROM (
            SELECT MAX(competitorId) AS bib FROM competitors WHERE runId = :run
            UNION ALL
            SELECT MAX(competitorId) FROM parkrun WHERE runId = :run
        )
    )
)

-- name: races
SELECT races.runId, races.name, races.course, races.startTime, races.status, races.competitors, races.speed, races.seed,
       races.updatedAt, races.request, races.cutOffs, races.cutOffsFrom, courses.longName
FROM races LEFT JOIN courses ON courses.shortName = races.course
ORDER BY races.startTime DESC, races.runId DESC
LIMIT :limit

-- name: race
SELECT races.runId, races.name, races.course, races.startTime, races.status, races.competitors, races.speed, races.seed,
       races.updatedAt, races.request, races.cutOffs, races.cutOffsFrom, courses.longName
FROM races LEFT JOIN courses ON courses.shortName = races.course
WHERE races.runId = :run

-- name: course
SELECT shortName, longName, distance, courseMap, startLocation, endLocation, fences, altitudes, timingPoints,
       widths
FROM courses
WHERE shortName = :name

-- name: competitors
SELECT competitorId, name, category, wave, club, sex
FROM competitors
WHERE runId = :run
LIMIT :limit

-- name: competitors_every
{chosen}
SELECT competitorId, name, category, wave, club, sex
FROM chosen CROSS JOIN competitors ON runId = :run AND competitorId = chosen.value
LIMIT :limit

-- name: competitors_of
SELECT competitorId, name, category, wave, club, sex
FROM json_each(:bibs) AS chosen CROSS JOIN competitors ON runId = :run AND competitorId = chosen.value
LIMIT :limit

-- name: positions
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM parkrun
WHERE runId = :run
LIMIT :limit

-- name: positions_every
{chosen}
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM chosen CROSS JOIN parkrun ON runId = :run AND competitorId = chosen.value
LIMIT :limit

-- name: positions_of
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM json_each(:bibs) AS chosen CROSS JOIN parkrun ON runId = :run AND competitorId = chosen.value
LIMIT :limit

-- name: mark
SELECT MAX(emittedAt), SUM(rawTime), COUNT(*)
FROM parkrun
WHERE runId = :run

-- name: mark_every
{chosen}
SELECT MAX(emittedAt), SUM(rawTime), COUNT(*)
FROM chosen CROSS JOIN parkrun ON runId = :run AND competitorId = chosen.value

-- name: positions_at
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM parkrun_history
WHERE runId = :run AND rawTime = :time
LIMIT :limit

-- name: positions_at_every
{chosen}
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM chosen CROSS JOIN parkrun_history ON runId = :run AND rawTime = :time AND competitorId = chosen.value
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

-- name: positions_since_every
-- Each competitor at each tick: a race's rows are in the order of their ticks.
{chosen},
ticks(time) AS (
    SELECT MAX(rawTime) FROM parkrun_history WHERE runId = :run AND rawTime <= :time
    UNION ALL
    SELECT (SELECT MAX(rawTime) FROM parkrun_history WHERE runId = :run AND rawTime < ticks.time)
    FROM ticks
    WHERE ticks.time >= :since
)
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM (
    SELECT parkrun_history.*, MAX(rawTime)
    FROM ticks CROSS JOIN chosen
    CROSS JOIN parkrun_history ON runId = :run AND rawTime = ticks.time AND competitorId = chosen.value
    WHERE ticks.time >= :since
    GROUP BY competitorId
)
LIMIT :limit

-- name: passings
-- A row for each point: making objects of millions of rows takes longer than reading them, and holds Python's lock.
SELECT kind, point, lap, MAX(distance), MAX(timestamp), GROUP_CONCAT(competitorId), GROUP_CONCAT(elapsed)
FROM passings
WHERE runId = :run AND timestamp > :after
GROUP BY kind, point, lap

-- name: passings_every
{chosen}
SELECT kind, point, lap, MAX(distance), MAX(timestamp), GROUP_CONCAT(competitorId), GROUP_CONCAT(elapsed)
FROM chosen CROSS JOIN passings ON runId = :run AND competitorId = chosen.value
WHERE timestamp > :after
GROUP BY kind, point, lap

-- name: passings_of
SELECT kind, point, lap, MAX(distance), MAX(timestamp), GROUP_CONCAT(competitorId), GROUP_CONCAT(elapsed)
FROM json_each(:bibs) AS chosen CROSS JOIN passings ON runId = :run AND competitorId = chosen.value
WHERE timestamp > :after
GROUP BY kind, point, lap

-- name: count_passings
SELECT COUNT(*)
FROM passings
WHERE runId = :run

-- name: count_arrivals
-- Spans are counted from the one in which `elapsed` is -offset.
SELECT kind, point, lap, CAST((elapsed + :offset) / :step AS INTEGER) AS span, COUNT(*)
FROM passings
WHERE runId = :run AND kind IN ('split', 'enter', 'finish')
GROUP BY kind, point, lap, span
LIMIT :limit

-- name: dropped
SELECT competitorId, distance, elapsed
FROM parkrun
WHERE runId = :run AND status = 'dnf'
LIMIT :limit

-- name: tally
SELECT status, COUNT(*), MAX(elapsed), MAX(emittedAt), MAX(competitorId), MAX(distance), MAX(rawTime)
FROM parkrun
WHERE runId = :run
GROUP BY status

-- name: front
SELECT competitorId, lon, lat, distance, status, elapsed, emittedAt
FROM parkrun
WHERE runId = :run AND status IN ('running', 'paused')
ORDER BY distance DESC, competitorId
LIMIT :limit

-- name: between
SELECT COUNT(*)
FROM parkrun
WHERE runId = :run AND status IN ('running', 'paused') AND distance >= :first AND distance < :last

-- name: finishes
SELECT competitorId, elapsed, status, emittedAt
FROM parkrun
WHERE runId = :run AND competitorId BETWEEN :first AND :last AND status IN ('finished', 'dsq') AND emittedAt > :after
LIMIT :limit

-- name: waves
SELECT competitorId, wave
FROM competitors
WHERE runId = :run AND competitorId BETWEEN :first AND :last AND wave > 1
LIMIT :limit

-- name: starts
SELECT competitorId, elapsed
FROM passings
WHERE runId = :run AND competitorId BETWEEN :first AND :last AND kind = 'start'
LIMIT :limit

-- name: count_competitors
SELECT COUNT(*)
FROM competitors
WHERE runId = :run

-- name: find
SELECT competitorId, name, category, wave, club, sex
FROM competitors
WHERE runId = :run AND (name LIKE :text OR club LIKE :text)
ORDER BY competitorId
LIMIT :limit
