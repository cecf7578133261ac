-- Who leads the race, how far does each competitor still have to go, and at what average pace?
-- Parameters: runId and courseDistance (metres, from races.sql). Competitors who have not moved are left out.
-- Times and paces count from the first gun, also for later waves.
SELECT competitorId,
       distance AS covered,
       %(courseDistance)s - distance AS toGo,
       ToDateTime(1000 * elapsed / distance * 1000, 'mm:ss') AS pacePerKm,
       ToDateTime(rawTime * 1000, 'HH:mm:ss') AS raceTime
FROM parkrun
WHERE runId = %(runId)s AND distance > 0
ORDER BY distance DESC, elapsed
LIMIT 100
