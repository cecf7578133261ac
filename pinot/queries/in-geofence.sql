-- Which competitors are currently in one of the course's geofences?
-- Parameter: runId. Fences and locations are geographies; ST_Contains requires geometries.
-- For an unknown course lookup returns no bytes, which is not a valid geography, even in rows that runId filters
-- out: those get an empty polygon. As hex, because Pinot 0.11 has no CASE for bytes.
SELECT competitorId, distance, lon, lat
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
ORDER BY distance DESC
LIMIT 1000000
