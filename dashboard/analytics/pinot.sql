-- The queries of `Stream` on Pinot. skipUpsert includes the rows that the upsert hides. {complete} leaves out
-- incomplete events (see stream/contract.py), which `python -m pinot status` and the pipeline page count.

-- name: arrivals
SELECT runId, course, FLOOR(emittedAt / 1000), FLOOR(CAST("timestamp" AS LONG) / 1000), COUNT(*)
FROM parkrun
WHERE emittedAt >= %(since)s AND emittedAt < %(until)s AND {complete}
GROUP BY runId, course, FLOOR(emittedAt / 1000), FLOOR(CAST("timestamp" AS LONG) / 1000)
LIMIT %(limit)s
option(skipUpsert=true, numGroupsLimit=%(limit)s)

-- name: paces
SELECT runId, course, FLOOR(emittedAt / (1000 * %(step)s)) * %(step)s, FLOOR(1000 * elapsed / distance),
       COUNT(*), SUM(1000 * elapsed / distance)
FROM parkrun
WHERE emittedAt >= %(since)s AND emittedAt < %(until)s AND {complete}
      AND status = 'running' AND distance >= %(min_distance)s
GROUP BY runId, course, FLOOR(emittedAt / (1000 * %(step)s)) * %(step)s, FLOOR(1000 * elapsed / distance)
LIMIT %(limit)s
option(skipUpsert=true, numGroupsLimit=%(limit)s)

-- name: seen
SELECT runId, course, competitorId, COUNT(*), MIN(distance), MAX(distance),
       MAX(CASE WHEN status = 'finished' THEN 1 ELSE 0 END)
FROM parkrun
WHERE emittedAt >= %(since)s AND emittedAt < %(until)s AND {complete}
GROUP BY runId, course, competitorId
LIMIT %(limit)s
option(skipUpsert=true, numGroupsLimit=%(limit)s)

-- name: panes
SELECT FLOOR(CAST("timestamp" AS LONG) / 1000), DISTINCTCOUNT(competitorId)
FROM parkrun
WHERE runId = %(run)s AND "timestamp" >= %(first)s AND "timestamp" < %(until)s AND emittedAt >= %(since)s
      AND {complete}
GROUP BY FLOOR(CAST("timestamp" AS LONG) / 1000)
LIMIT %(limit)s
option(skipUpsert=true, numGroupsLimit=%(limit)s)

-- name: newest
SELECT runId, competitorId, course, status, elapsed, distance, CAST("timestamp" AS LONG), emittedAt
FROM parkrun
WHERE emittedAt >= %(since)s AND {complete} {filters}
ORDER BY emittedAt DESC, runId, competitorId, rawTime DESC
LIMIT %(limit)s
option(skipUpsert=true)

-- name: of_run
AND runId = %(run)s

-- name: of_bib
AND competitorId = %(bib)s

-- name: of_course
AND course = %(course)s
