-- Which races are there, newest first, and on which course is each?
SELECT runId,
       name,
       status,
       ToDateTime(startTime, 'yyyy-MM-dd HH:mm:ss') AS startsAt,
       lookup('courses', 'longName', 'shortName', course) AS courseName,
       lookup('courses', 'distance', 'shortName', course) AS courseDistance
FROM races
ORDER BY startTime DESC
LIMIT 100
