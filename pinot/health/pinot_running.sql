SELECT runId, speed, JSONEXTRACTSCALAR(request, '$.interval', 'DOUBLE', 0), updatedAt, competitors, clockStart,
       CAST(startTime AS LONG), JSONEXTRACTSCALAR(request, '$.replay', 'STRING', '')
FROM races WHERE status = 'running' AND speed > 0 ORDER BY updatedAt DESC LIMIT 1000
