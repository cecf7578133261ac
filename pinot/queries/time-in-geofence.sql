-- How many seconds have passed between the first and the last place of each competitor in a geofence?
-- Needs runId. The newest place does not tell: skipUpsert looks at all that Pinot has kept.
-- Of a course that isn't there lookup gives no bytes, which are no geography, not even of rows that runId leaves
-- out: those get an empty polygon. As hex, since Pinot 0.11 has no CASE for bytes.
SELECT competitorId,
       (max("timestamp") - min("timestamp")) / 1000 AS seconds
FROM parkrun
WHERE runId = %(runId)s
  AND ST_Contains(
        toGeometry(hexToBytes(
          CASE WHEN lookup('courses', 'distance', 'shortName', course) > 0
               THEN bytesToHex(lookup('courses', 'geoFenceLocation', 'shortName', course))
               ELSE '840000000000000000' END
        )),
        toGeometry(location)
      ) = 1
GROUP BY competitorId
ORDER BY competitorId
LIMIT 100000
option(skipUpsert=true)
