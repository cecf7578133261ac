-- Only in the newest race, whose positions are stored together: a search over all races would scan the table.
SELECT max(emittedAt) FROM parkrun WHERE runId = (SELECT runId FROM races ORDER BY updatedAt DESC LIMIT 1)
