-- Who leads the race, how far has each competitor still to go, and how fast has it been so far?
-- Needs runId and courseDistance (metres, from races.sql). Who has not moved yet has no pace, and no line.
SELECT competitorId,
       distance AS covered,
       %(courseDistance)s - distance AS toGo,
       ToDateTime(1000 * elapsed / distance * 1000, 'mm:ss') AS pacePerKm,
       ToDateTime(rawTime * 1000, 'HH:mm:ss') AS raceTime
FROM parkrun
WHERE runId = %(runId)s AND distance > 0
ORDER BY distance DESC, elapsed
LIMIT 100
