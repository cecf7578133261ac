-- How many seconds are between each competitor's first and last position in a geofence?
-- Parameter: runId. skipUpsert reads all positions that Pinot has kept, not only the newest.
-- For an unknown course lookup returns no bytes, which is not a valid geography, even in rows that runId filters
-- out: those get an empty polygon. As hex, because Pinot 0.11 has no CASE for bytes.
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
LIMIT 1000000
option(skipUpsert=true)
