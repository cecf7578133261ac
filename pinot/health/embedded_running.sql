SELECT runId, speed, COALESCE(json_extract(request, '$.interval'), 0), updatedAt, competitors, clockStart,
       startTime, COALESCE(json_extract(request, '$.replay'), ''),
       (SELECT max(emittedAt) FROM parkrun WHERE parkrun.runId = races.runId)
FROM races WHERE status = 'running' ORDER BY updatedAt DESC LIMIT 1000
