-- How many seconds have passed between the first and the last place of each competitor in a geofence?
-- Needs runId. The newest place does not tell: skipUpsert looks at all that Pinot has kept.
SELECT competitorId,
       (max("timestamp") - min("timestamp")) / 1000 AS seconds
FROM parkrun
WHERE runId = %(runId)s
  AND ST_Contains(
        toGeometry(lookup('courses', 'geoFenceLocation', 'shortName', course)),
        toGeometry(location)
      ) = 1
GROUP BY competitorId
ORDER BY competitorId
LIMIT 100000
option(skipUpsert=true)
