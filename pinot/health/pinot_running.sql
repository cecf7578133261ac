SELECT runId, speed, JSONEXTRACTSCALAR(request, '$.interval', 'DOUBLE', 0), updatedAt
FROM races WHERE status = 'running' ORDER BY updatedAt DESC LIMIT 200
