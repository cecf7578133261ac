-- Who is in one of the geofences of the course just now?
-- Needs runId. Fences and places are geographies, and ST_Contains wants both sides as geometries.
-- Of a course that isn't there lookup gives no bytes, which are no geography, not even of rows that runId leaves
-- out: those get an empty polygon. As hex, since Pinot 0.11 has no CASE for bytes.
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
LIMIT 100000
