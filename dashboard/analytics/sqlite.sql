-- The queries of `Stream` on SQLite. A plus sign keeps SQLite from searching or sorting a whole race by its index:
-- what was emitted lately is less.

-- name: arrivals
SELECT runId, course, emittedAt / 1000, timestamp / 1000, COUNT(*)
FROM parkrun_history
WHERE emittedAt >= :since AND emittedAt < :until
GROUP BY 1, 2, 3, 4

-- name: paces
SELECT runId, course, emittedAt / (1000 * :step) * :step, CAST(1000 * elapsed / distance AS INTEGER),
       COUNT(*), SUM(1000 * elapsed / distance)
FROM parkrun_history
WHERE emittedAt >= :since AND emittedAt < :until AND status = 'running' AND distance >= :min_distance
GROUP BY 1, 2, 3, 4

-- name: seen
SELECT runId, course, competitorId, COUNT(*), MIN(distance), MAX(distance), MAX(status = 'finished')
FROM parkrun_history
WHERE emittedAt >= :since AND emittedAt < :until
GROUP BY 1, 2, 3

-- name: panes
SELECT timestamp / 1000, COUNT(DISTINCT competitorId)
FROM parkrun_history
WHERE +runId = :run AND timestamp >= :first AND timestamp < :until AND emittedAt >= :since
GROUP BY 1

-- name: newest
SELECT runId, competitorId, course, status, elapsed, distance, timestamp, emittedAt
FROM parkrun_history
WHERE emittedAt >= :since {filters}
ORDER BY emittedAt DESC, runId, competitorId, rawTime DESC
LIMIT :limit

-- name: of_run
AND +runId = :run

-- name: of_bib
AND competitorId = :bib

-- name: of_course
AND course = :course
