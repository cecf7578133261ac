-- Who is in one of the geofences of the course just now?
-- Needs runId. Fences and places are geographies, and ST_Contains wants both sides as geometries.
SELECT competitorId, distance, lon, lat
FROM parkrun
WHERE runId = %(runId)s
  AND ST_Contains(
        toGeometry(lookup('courses', 'geoFenceLocation', 'shortName', course)),
        toGeometry(location)
      ) = 1
ORDER BY distance DESC
LIMIT 100000
